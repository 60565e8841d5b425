import type { RunbookReport, Sight } from '../../app/runbook/report.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

const marks: Record<Sight['state'], string> = { cause: '!', fine: '✓', note: '·', unknown: '?' };

/** For people in a hurry: what applies in full, the others in one line. */
export function renderRunbooks(
  reports: readonly RunbookReport[],
  all: boolean,
  style: Style,
  width: number,
): string {
  const shown = all ? reports.filter(({ applies }) => applies) : reports;
  const rest = reports.filter((report) => !shown.includes(report)).map(({ topic }) => topic);
  const parts = shown.map((report) => renderOne(report, style, width));
  if (shown.length === 0) parts.push(style.good('nothing that there is a runbook for'));
  if (rest.length > 0) parts.push(style.faint(`looked at too, and not it: ${rest.join(', ')}`));
  return parts.join('\n\n');
}

function renderOne(
  { topic, instance, applies, found, steps }: RunbookReport,
  style: Style,
  width: number,
): string {
  const lines = [
    `${style.strong(`${topic} ${printable(instance)}`)}  ${applies ? style.bad('this is it, or part of it') : style.good('does not look like it')}`,
  ];
  const put = (lead: string, text: string): void => {
    const rows = wrap(printable(text), Math.max(20, width - lead.length)).split('\n');
    rows.forEach((row, at) => lines.push(`${at === 0 ? lead : ' '.repeat(lead.length)}${row}`));
  };
  for (const { state, text } of found) put(`  ${marks[state]} `, text);
  if (steps.length > 0) lines.push(applies ? 'next' : 'to look further');
  // Commands are not wrapped: they are copied.
  for (const [at, { why, command, effect }] of steps.entries()) {
    put(
      `  ${at + 1}. `,
      `${why}${effect === 'looks' ? '' : effect === 'loses' ? ' (loses something)' : ' (changes something)'}`,
    );
    lines.push(`     ${style.strong(printable(command))}`);
  }
  return lines.join('\n');
}
