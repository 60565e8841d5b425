import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A program that reads what others have written, as it is to be spawned. */
export interface Confined {
  command: string;
  args: string[];
  /** A session of its own: no terminal, whose input it could forge, and none of its signals. */
  detached: true;
}

/**
 * How a program is spawned that reads what others have written: in a session of its own, it gains no rights by what it
 * executes, leaves no core dump of what it has read, and dies with this process, all as far as this host lets us. It
 * becomes the program itself, under the number that was spawned. `argv0`: what it sees as its own name.
 */
export function confine(program: string, args: readonly string[], argv0?: string): Confined {
  const { path, options } = (setpriv ??= probe());
  const drop = path === undefined || options.length === 0 ? [] : [path, ...options];
  // A shell may make a relative path absolute, and the way there need not be the user's: so another program executes it.
  const launcher = drop.length > 0 ? drop : ['/usr/bin/env'];
  if (argv0 === undefined)
    return asConfined(['/bin/sh', '-c', `${noCore}; exec "$@"`, 'sh', ...launcher, program, ...args]);
  const shell = first(['/bin/bash', '/usr/bin/bash']) ?? '/bin/sh';
  const run = `${noCore}; name=$0; exec -a "$name" "$@"`;
  return asConfined([...drop, shell, '-c', run, argv0, program, ...args]);
}

/** Limits are inherited, and a shell sets them without a program of its own. */
const noCore = 'ulimit -c 0';

function asConfined([command = '', ...args]: string[]): Confined {
  return { command, args, detached: true };
}

/** The exit status of a shell, and of setpriv, that could not execute the program. */
export const notExecuted: readonly (number | null)[] = [126, 127];

interface Setpriv {
  path: string | undefined;
  options: string[];
}

let setpriv: Setpriv | undefined;

/** Old ones lack options, and end at what they do not know. */
function probe(): Setpriv {
  const path = first(['/usr/bin/setpriv', '/bin/setpriv']);
  if (path === undefined) return { path, options: [] };
  const takes = (words: string[]): boolean => {
    try {
      execFileSync(path, [...words, path, '--version'], { stdio: 'ignore', timeout: 5000, env: {} });
      return true;
    } catch {
      return false;
    }
  };
  const all = [['--pdeathsig', 'KILL'], ['--no-new-privs']];
  return { path, options: takes(all.flat()) ? all.flat() : all.filter(takes).flat() };
}

function first(paths: string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}
