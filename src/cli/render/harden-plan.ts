import { isDone, type Change, type HardenPlan, type UserChange } from '../../harden/changes.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { wrap } from './wrap.ts';

/** What would be done, for people: each change with its class, its reason and its risk. */
export function renderHardenPlan(plan: HardenPlan, style: Style, width: number): string {
  const { instance, policy, engine, changes, refused, obstacles, files, unknown } = plan;
  const parts = [`${style.strong(printable(instance))}: policy ${printable(policy)} on ${printable(engine)}`];
  if (isDone(plan, true)) parts.push(style.good('Nothing to change: what is wanted is there.'));
  for (const change of changes) parts.push(renderChange(change, style, width));
  for (const user of plan.users) parts.push(renderUser(user, style, width));
  if (refused.length > 0) parts.push(style.warning('Not done:'));
  for (const { directive, to, why, instead } of refused)
    parts.push(
      [
        `  ${style.strong(printable(directive))} ${printable(to)}`,
        ...indent(`${why}.`, width),
        ...indent(`Instead: ${instead}`, width),
      ].join('\n'),
    );
  for (const { why, instead, flag } of obstacles)
    parts.push(
      [
        style.bad(`Cannot be applied: ${printable(why)}`),
        ...indent(`${instead}${flag === null ? '' : `; to insist: ${flag}`}`, width),
      ].join('\n'),
    );
  for (const { about, why, commands } of plan.host)
    parts.push(
      [
        style.strong(`Around it, by hand: ${about}`),
        ...indent(`${why}.`, width),
        ...commands.flatMap((command) => command.split('\n')).map((line) => `      ${printable(line)}`),
      ].join('\n'),
    );
  if (unknown.length > 0)
    parts.push(style.faint(wrapped(`This server does not know: ${unknown.join(', ')}`, width)));
  for (const { diff } of files)
    parts.push(
      diff
        .split('\n')
        .map((line) => painted(line, style))
        .join('\n'),
    );
  return parts.join('\n\n');
}

function renderChange(change: Change, style: Style, width: number): string {
  const { directive, to, run_time: now, file, place, reason, risk, inverse } = change;
  const from = now === file ? show(now) : `${show(now)} (file: ${show(file)})`;
  const again = now === to && file === to;
  const where = again ? 'no file is changed' : place === null ? 'a new line' : `${place.file}:${place.line}`;
  const step = again ? `${show(to)} is read anew` : `${from} → ${show(to)}`;
  return [
    `  ${style.strong(printable(directive))}  ${printable(step)}  ${style.faint(`[${change.class}]`)}`,
    ...indent(reason, width),
    ...indent(`Risk: ${risk}. Where: ${where}.`, width),
    ...indent(`Back: ${inverse}`, width),
  ].join('\n');
}

function renderUser(change: UserChange, style: Style, width: number): string {
  const { user, kind, rules, reason, risk, place, inverse } = change;
  const where = place === null ? 'a new line' : `${place.file}:${place.line}`;
  const what = { new: 'a new user', rights: 'other rights', closed: 'nobody logs in as it any more' }[kind];
  return [
    `  ${style.strong(`user ${printable(user)}`)}  ${what}  ${style.faint(`[${change.class}]`)}`,
    ...indent(`${reason}.`, width),
    ...indent(rules.join(' '), width),
    ...(kind === 'new'
      ? indent('Its password is made by apply, which says in which file it is.', width)
      : []),
    ...indent(`Risk: ${risk}. Where: ${where}.`, width),
    ...indent(`Back: ${inverse}`, width),
  ].join('\n');
}

/** Numbers of seven digits and more are bytes, which nobody reads. */
function show(value: string): string {
  if (value === '') return '""';
  return /^\d{7,15}$/.test(value) ? `${value} (${formatBytes(Number(value))})` : value;
}

function indent(text: string, width: number): string[] {
  return wrap(printable(text), Math.max(40, width - 4))
    .split('\n')
    .map((line) => `    ${line}`);
}

function wrapped(text: string, width: number): string {
  return wrap(printable(text), width);
}

function painted(line: string, style: Style): string {
  const text = printable(line.replace(/\r$/, ''));
  if (line.startsWith('+')) return style.good(text);
  return line.startsWith('-') ? style.bad(text) : text;
}
