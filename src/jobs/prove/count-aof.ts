import type { AofPart } from '../../backup/aof/copy-set.ts';
import type { OpenAofSet } from '../../backup/aof/open-set.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { toolPlaces } from '../../redis/service/find-service.ts';
import type { JobContext } from '../job.ts';
import type { LoadedAof } from './load-aof.ts';
import { loadAofCopy } from './load-aof-copy.ts';
import { scratchDatabases } from './scratch-databases.ts';

/**
 * Has a scratch server count the keys of the first bytes of open files. Resolves with why it could not, where that says
 * nothing of them. Throws an AgentError `damaged` where a server would not load them.
 */
export async function countAof(
  context: JobContext,
  set: OpenAofSet,
  parts: readonly AofPart[],
  info: Info,
): Promise<LoadedAof | { notLoaded: string }> {
  const { scratch, instance, clock, signal, progress, log } = context;
  const databases = await scratchDatabases(context);
  const onProgress = (share: number): void => progress.report({ phase: 'loading', done: share, total: 1 });
  const places = await toolPlaces(instance, signal);
  const options = { scratch, info, places, databases, clock, signal, onProgress };
  const loaded = await loadAofCopy(set, parts, options).catch((error: unknown) => {
    // Modules and renamed commands, which only the server itself has; memory that ran out. That is no damage.
    if (!(error instanceof AgentError) || error.code !== 'failed') throw error;
    signal.throwIfAborted();
    return { notLoaded: error.message };
  });
  if ('notLoaded' in loaded)
    log.warn({ why: loaded.notLoaded }, 'the AOF was not loaded for counting its keys');
  return loaded;
}
