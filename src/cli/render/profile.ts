import type { ProfileReport } from '../../app/acl/profile-report.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

/** For people: what the application will be refused, what the user could do besides, and the command that mends it. */
export function renderProfiles(reports: readonly ProfileReport[], style: Style, width: number): string {
  return reports.map((report) => renderOne(report, style, width)).join('\n\n');
}

function renderOne(report: ProfileReport, style: Style, width: number): string {
  const { subject, engine, user, profile, exists, fits, missing, surplus, taken_back: lost } = report;
  const head = `${style.strong(printable(subject))}  ${printable(engine)}  ${printable(user)} as ${profile}`;
  if (!exists)
    return [
      `${head}  ${style.bad(`there is no user ${printable(user)}`)}`,
      line('do', `redis-cli ${report.command}`, width),
    ].join('\n');
  const verdict = fits ? style.good('enough for it') : style.bad('not enough');
  const lines = [`${head}  ${verdict}`];
  const add = (title: string, words: readonly string[]): void => {
    if (words.length > 0) lines.push(line(title, words.join(' '), width));
  };
  add('missing commands', missing.commands);
  add('missing keys', missing.keys);
  add('missing channels', missing.channels);
  for (const { grant, by } of lost)
    lines.push(line('why', `${by} stands behind ${grant} and takes it back`, width));
  add('more than it needs', [...surplus.keys, ...surplus.channels, ...shortened(surplus.commands)]);
  add('of what only some uses need', report.optional);
  if (!fits || surplus.commands.length + surplus.keys.length + surplus.channels.length > 0)
    lines.push(line('do', `redis-cli ${report.command}`, width));
  return lines.join('\n');
}

const most = 40;

function shortened(words: readonly string[]): string[] {
  return words.length > most ? [...words.slice(0, most), `and ${words.length - most} more`] : [...words];
}

function line(title: string, text: string, width: number): string {
  return wrap(`${title}: ${printable(text)}`, Math.max(20, width - 2))
    .split('\n')
    .map((each) => `  ${each}`)
    .join('\n');
}
