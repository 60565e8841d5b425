import { counted, verb } from '../../lib/text/counted.ts';
import type { RotationResult } from '../../jobs/harden/rotate-password.ts';
import { printable } from '../../lib/text/printable.ts';
import { wrap } from './wrap.ts';

/** For people: who takes part, what was or would be done, and who is left behind. */
export function renderRotation(result: RotationResult, width: number): string {
  const { user, nodes, dry_run: dry, waits, resumes, stragglers, refused } = result;
  const lines: string[] = [];
  const add = (text: string, by = 0): void => {
    const blank = ' '.repeat(by);
    for (const each of wrap(printable(text), Math.max(20, width - by)).split('\n'))
      lines.push(`${blank}${each}`);
  };
  const count = `${nodes.length} ${nodes.length === 1 ? 'server' : 'servers'}`;
  add(
    waits
      ? `${user} has its old and its new password on ${count}, until you have changed what is below`
      : dry
        ? `${user} would get a new password on ${count}`
        : `${user} has a new password on ${count}`,
  );
  if (resumes !== null) add(`this goes on with the rotation of ${resumes}`, 2);
  for (const { address, role, kept_in: kept, connections } of nodes) {
    add(`${address}  ${role}  ${kept}`, 2);
    if (dry) for (const line of grouped(connections)) add(line, 4);
  }
  if (result.replication) add(`replicas log in as ${user}: masterauth changes too, and they log in anew`, 2);
  for (const url of result.sentinels) add(`Sentinel ${url}: auth-pass changes too, and it logs in anew`, 2);
  for (const path of result.secret_files) add(`handed on in ${path}`, 2);
  for (const hook of result.hooks) add(`handed on by ${hook}`, 2);
  for (const { address, why, line, masterauth } of result.by_hand) {
    add(`by hand: the files of ${address} cannot be written from here (${why})`, 2);
    // Whole, so that it can be copied.
    if (line !== null)
      lines.push(
        '    In its aclfile, or in redis.conf, one line is about that user (or requirepass):',
        printable(line),
      );
    if (masterauth) add('In redis.conf masterauth gets the new password itself.', 4);
  }
  if (waits)
    add('Then run the same command again: it takes the old password away, and shows these once more.');
  if (stragglers.length > 0) {
    const were = verb(stragglers.length, 'was', 'were');
    add(`${counted(stragglers.length, 'connection')} still had the old password and ${were} closed:`);
    for (const { node, address, name, age_seconds: age } of stragglers.slice(0, most))
      add(`${address}  ${name === '' ? '(no name)' : name}  open for ${age} s, at ${node}`, 2);
    if (stragglers.length > most) add(`and ${stragglers.length - most} more`, 2);
  }
  if (refused.length > 0) {
    add(`refused since, with the old password or a wrong one:`);
    for (const { address, name, times } of refused.slice(0, most))
      add(`${address}  ${name === '' ? '(no name)' : name}  ${counted(times, 'time')}`, 2);
    add('hand these the new one; the servers no longer know the old one', 2);
  }
  return lines.join('\n');
}

const most = 20;

/** A pool is one line. */
function grouped(connections: RotationResult['nodes'][number]['connections']): string[] {
  const by = Map.groupBy(connections, ({ address, name }) => `${address.replace(/:\d+$/, '')}  ${name}`);
  return [...by].map(([key, all]) =>
    `${all.length} ${all.length === 1 ? 'connection' : 'connections'} from ${key}`.trimEnd(),
  );
}
