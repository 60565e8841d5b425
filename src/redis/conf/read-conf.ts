import { AgentError } from '../../domain/errors.ts';
import type { Directive } from '../../formats/conf/server-arguments.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { resolveConf } from './resolve-conf.ts';

/** What the next start of a server will go by. */
export interface ServerConf {
  /** Every file that was read, the first one first. */
  files: string[];
  /** The first value of the directive's last mention; undefined when it is nowhere. */
  get(name: string): string | undefined;
  /** The first values of all its mentions, for directives that add up (loadmodule). */
  all(name: string): string[];
}

/**
 * Reads a redis.conf with all that it includes (patterns too), then `options`, those of the command line. A directive
 * that an include sets counts where the include stands. What the files name is read with the rights of `user`, the
 * server's, where we are root. Rejects with an AgentError `failed` that names the file which
 * cannot be read: half of a configuration is worse than none.
 */
export async function readConf(
  file: string | undefined,
  options: Directive[] = [],
  user?: UserId,
): Promise<ServerConf> {
  const { files, entries, problems } = resolveConf(file, { options, as: user });
  const [first] = problems;
  if (first !== undefined)
    throw new AgentError('failed', `cannot read the server’s configuration ${first.path}: ${first.why}`, {
      cause: first.cause,
      reason: 'conf',
      hint:
        user !== undefined && process.geteuid?.() === 0
          ? 'let the server’s user read it: its next start has to'
          : 'run as root, or as a user that may read it',
    });
  return {
    files: files.map(({ path }) => path),
    get: (name) => entries.findLast((entry) => entry.name === name)?.values[0],
    all: (name) => entries.flatMap((entry) => (entry.name === name ? entry.values.slice(0, 1) : [])),
  };
}
