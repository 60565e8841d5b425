import type { Severity } from '../../domain/finding.ts';
import type { Sample } from '../../domain/sample.ts';
import type { Role, Threshold, Thresholds } from '../../domain/settings/monitor.ts';

/** What a rule judges from: the polls of the last quarter of an hour and what is configured. */
export interface View {
  instance: string;
  role: Role | undefined;
  thresholds: Thresholds;
  /** A command that takes longer is slow, milliseconds. */
  slowCommand: number;
  /** Oldest first, without a gap between them; the last one is the one to judge. Never empty. */
  samples: readonly Sample[];
  /** At what severity it fires already: what fires ends later than it began. */
  was(rule: string, resource: string): Severity | undefined;
  /** When that was last seen, where it fires; milliseconds since the epoch. Nobody knows when left out. */
  seenAt?(rule: string, resource: string): number | undefined;
}

export const minute = 60_000;

/** The sample that is judged. */
export function nowOf({ samples }: View): Sample {
  const last = samples.at(-1);
  if (last === undefined) throw new Error('a view without a sample');
  return last;
}

/** The newest value of something that not every poll reads. */
export function latest({ samples }: View, name: string): number | undefined {
  return samples.findLast(({ values }) => values[name] !== undefined)?.values[name];
}

export function latestText({ samples }: View, name: string): string | undefined {
  return samples.findLast(({ texts }) => texts[name] !== undefined)?.texts[name];
}

/** The samples of the last `span` milliseconds, and the one before them, which differences begin with. */
export function within(view: View, span: number): readonly Sample[] {
  const since = nowOf(view).elapsed - span;
  const first = view.samples.findIndex(({ elapsed }) => elapsed > since);
  return view.samples.slice(Math.max(0, first - 1));
}

/** Clocks of both sides are not to the second. */
const slack = 5000;

/** Is it another process, and one that was there already when the one before it was seen: another server at this address? */
export function isAnotherServer(before: Sample, after: Sample): boolean {
  const uptime = after.values['uptime_seconds'];
  if (before.runId === after.runId || uptime === undefined) return false;
  return uptime * 1000 > after.elapsed - before.elapsed + slack;
}

/**
 * What a counter grew by in the last `span` milliseconds, and over how many it was seen. undefined before there are two
 * readings of one server. A counter that went back, or a process that has just started, began at 0.
 */
export function growth(view: View, name: string, span: number): { amount: number; ms: number } | undefined {
  let before: Sample | undefined;
  let amount = 0;
  let ms = 0;
  for (const sample of within(view, span)) {
    const value = sample.values[name];
    if (value === undefined) continue;
    const then = before?.values[name];
    const own = name.startsWith('own_');
    if (before !== undefined && then !== undefined && (own || !isAnotherServer(before, sample))) {
      const same = own || before.runId === sample.runId;
      amount += same && value >= then ? value - then : value;
      ms += sample.elapsed - before.elapsed;
    }
    before = sample;
  }
  return ms > 0 ? { amount, ms } : undefined;
}

/** `growth` of the server's counter without the agent's own share in it. */
export function othersGrowth(
  view: View,
  name: string,
  own: string,
  span: number,
): { amount: number; ms: number } | undefined {
  const all = growth(view, name, span);
  if (all === undefined) return undefined;
  return { amount: Math.max(0, all.amount - (growth(view, own, span)?.amount ?? 0)), ms: all.ms };
}

/** How much of `span` the samples cover, milliseconds. */
export function covered(view: View, span: number): number {
  const [first] = within(view, span);
  return first === undefined ? 0 : nowOf(view).elapsed - first.elapsed;
}

const order = ['critical', 'high', 'warning', 'info'] as const;

/**
 * The severity of a value. What fires at a level ends at 0.9 of its threshold (1/0.9 where lower is worse), so that a
 * value that swings about it is told once.
 */
export function levelOf(
  value: number,
  threshold: Threshold,
  { was, below = false }: { was: Severity | undefined; below?: boolean },
): Severity | undefined {
  return order.find((level) => {
    const bound = threshold[level];
    if (bound === undefined) return false;
    const fires = was !== undefined && order.indexOf(was) <= order.indexOf(level);
    if (below) return fires ? value < bound / 0.9 : value < bound;
    return fires ? value > bound * 0.9 : value > bound;
  });
}

/** The bound that a severity goes by. */
export const boundOf = (threshold: Threshold, severity: Severity): number => threshold[severity] ?? 0;

export const isOff = (threshold: Threshold): boolean => Object.keys(threshold).length === 0;
