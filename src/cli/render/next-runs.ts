import type { NextRun } from '../../app/status/next-runs.ts';
import { formatAge } from './time.ts';

/** What is due when, soonest first, what is due together in one: `check-aof in 12 min, backup in 3 h`. Lines of that width. */
export function renderNextRuns(runs: readonly NextRun[], now: number, width: number): string[] {
  const due = runs.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const together = Map.groupBy(due, ({ at }) => formatAge(Date.parse(at), now));
  const lines: string[] = [];
  for (const [age, group] of together) {
    const names = group.map(({ job, retry }) => (retry === null ? job : `${job} (attempt ${retry.attempt})`));
    const text = `${names.join(' + ')} ${age}`;
    const longer = lines.length === 0 ? text : `${lines.at(-1)}, ${text}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}
