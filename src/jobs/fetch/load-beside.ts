import type { KeyCount } from '../../domain/backup.ts';
import { hasReason, messageOf } from '../../domain/errors.ts';
import { infoKeyspace } from '../../formats/info/parse-info.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { awaitLater } from '../../lib/time/await-later.ts';
import type { FileTail } from '../../lib/files/file-tail.ts';
import { sweepScratch } from '../../redis/scratch/scratch-folder.ts';
import { startScratchServer, type ScratchOptions } from '../../redis/scratch/scratch-server.ts';
import { readInfo } from '../../redis/server.ts';
import type { CheckTool } from '../../redis/process/tools.ts';
import type { JobContext } from '../job.ts';

/** A dump that a scratch server loads while it is still being decoded. */
export interface LoadBeside {
  /**
   * What it holds when it has loaded everything, which only counts when the dump has been proven meanwhile. undefined: it
   * did not take the dump; loading the file will tell why, or do. Rejects where that makes no sense: the server was
   * killed, or the run is over.
   */
  keys(): Promise<Record<string, KeyCount> | undefined>;
  /** Ends it, if it has not ended yet. */
  end(): Promise<void>;
}

/** Begins at once, and ends by itself with the dump. */
export function loadBeside(
  context: JobContext,
  {
    tool,
    tail,
    bytes,
    databases,
    user,
  }: {
    tool: CheckTool;
    tail: FileTail;
    bytes: number;
    databases: number | undefined;
    user: UserId;
  },
): LoadBeside {
  const over = new AbortController();
  let awaited = false;
  let first: number | undefined;
  const loading = awaitLater(
    loadDump(context, tool, {
      feed: { bytes, open: () => tail.read() },
      databases,
      user,
      signal: AbortSignal.any([context.signal, over.signal]),
      onProgress(share) {
        // Until then the decoding is shown; from then on, what is left.
        if (!awaited) return;
        first ??= share;
        context.progress.report({ phase: 'proving', done: share - first, total: 1 - first });
      },
    }),
  );
  return {
    async keys() {
      awaited = true;
      try {
        return await loading;
      } catch (error) {
        context.signal.throwIfAborted();
        if (hasReason(error, 'killed')) throw error;
        context.log.info(
          { cause: messageOf(error) },
          'could not load the dump while decoding it: loads the file',
        );
        return undefined;
      }
    },
    async end() {
      over.abort(new Error('the dump is not needed any more'));
      await loading.catch(() => {});
    },
  };
}

/** Loads a dump in a scratch server, counts, and ends the server. Rejects like startScratchServer. */
export async function loadDump(
  { clock, scratch }: JobContext,
  tool: CheckTool,
  options: Pick<ScratchOptions, 'dumpFile' | 'feed' | 'databases' | 'user' | 'signal' | 'onProgress'>,
): Promise<Record<string, KeyCount>> {
  await sweepScratch(scratch);
  await using server = await startScratchServer({
    program: { path: tool.path, argv0: tool.argv0.replace('check-rdb', 'server') },
    directory: scratch,
    clock,
    ...options,
  });
  return infoKeyspace(await readInfo(server.connection));
}
