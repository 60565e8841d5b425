import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { UserId } from './act-as.ts';

/**
 * A user of this host by name or number, with the group that is his own. One that only a directory service knows is asked
 * for with getent. Undefined: there is none. A number that no user has stands for itself.
 */
export function findUser(name: string): UserId | undefined {
  const line = find(passwd(), name) ?? find(ask(name), name);
  if (line !== undefined) return { uid: Number(line[2]), gid: Number(line[3]) };
  return /^\d+$/.test(name) ? { uid: Number(name), gid: Number(name) } : undefined;
}

/** A group of this host by name or number. */
export function findGroup(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const line = read('/etc/group')
    .split('\n')
    .map((each) => each.split(':'))
    .find(([first]) => first === name);
  return line === undefined ? undefined : Number(line[2]);
}

function find(table: string, name: string): string[] | undefined {
  const lines = table.split('\n').map((line) => line.split(':'));
  return lines.find((fields) => fields.length > 3 && (fields[0] === name || fields[2] === name));
}

function passwd(): string {
  return read('/etc/passwd');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function ask(name: string): string {
  try {
    return execFileSync('getent', ['passwd', '--', name], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
