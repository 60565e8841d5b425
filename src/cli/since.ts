import type { Argv } from 'yargs';
import { AgentError } from '../domain/errors.ts';
import { parseDuration } from '../lib/time/duration.ts';

/** Adds `--since` and `--csv`, which all commands on the history have. */
export function historyOptions(yargs: Argv, since: string): Argv {
  return yargs
    .option('since', {
      type: 'string',
      default: since,
      requiresArg: true,
      describe: 'How far back: 1h, 24h, 30d',
    })
    .option('csv', { type: 'boolean', default: false, describe: 'One table for a spreadsheet' });
}

/** Milliseconds. Throws an AgentError `usage`. */
export function parseSince(since: string): number {
  const span = parseDuration(since);
  if (span !== undefined && span > 0) return span;
  throw new AgentError('usage', `--since ${JSON.stringify(since.slice(0, 40))} is not a length of time`, {
    hint: 'write 1h, 24h or 30d',
  });
}
