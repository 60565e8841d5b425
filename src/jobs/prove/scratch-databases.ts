import type { KeyCount } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { readConfig } from '../../redis/server.ts';
import type { JobContext } from '../job.ts';

/** As many as cost a scratch server nothing. */
const least = 1024;

/**
 * How many databases a scratch server needs to take what the instance has written: at least as many as that has, where it
 * can be asked, and as the backup has keys in. A server ends at a dump that selects one that it does not have, and runs the
 * commands of an append only file in another.
 */
export async function scratchDatabases(
  context: Pick<JobContext, 'connect'>,
  databases: Record<string, KeyCount> = {},
): Promise<number> {
  const highest = Math.max(0, ...Object.keys(databases).map(Number));
  return Math.max(least, highest + 1, await ownDatabases(context));
}

async function ownDatabases(context: Pick<JobContext, 'connect'>): Promise<number> {
  try {
    const connection = await context.connect();
    try {
      return Number(await readConfig(connection, 'databases')) || 0;
    } finally {
      connection.close();
    }
  } catch (error) {
    // It is down, or lets nobody look: then the backup says what it can.
    if (!(error instanceof AgentError)) throw error;
    return 0;
  }
}
