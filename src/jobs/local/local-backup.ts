import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { backupIdTime } from '../../backup/id.ts';
import type { Repository } from '../../backup/repository.ts';
import type { Store } from '../../backup/store/store.ts';
import { AgentError, systemCode } from '../../domain/errors.ts';
import { lentNames } from '../../lib/files/lent-file.ts';
import { artefactOf } from '../prove/artefact-of.ts';
import type { LocalBackup } from './describe-local.ts';
import type { JobContext } from '../job.ts';
import { openLocalAof } from './local-aof.ts';
import { localHint, openLocalDump } from './local-dump.ts';

/** Is it a path, and neither a backup's id nor `latest`? */
export function isPath(which: string): boolean {
  return which !== '' && which !== 'latest' && backupIdTime(which) === undefined;
}

/**
 * Opens and reads what lies at a path: a dump.rdb, also one that zstd or age has coded, the folder of an append only file,
 * its manifest, or a single one whose name ends in `.aof`. Throws an AgentError: `usage` when nothing can be read there,
 * `damaged` when it is not sound.
 */
export async function openLocal(context: JobContext, named: string): Promise<LocalBackup> {
  const path = resolve(named);
  const stats = await stat(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') return undefined;
    throw new AgentError('usage', `${JSON.stringify(named)} is no backup id, and no file is there`, {
      cause: error,
      hint: localHint,
    });
  });
  const folder = stats?.isDirectory() === true || lentNames(path) !== undefined;
  return folder || /\.(?:aof|manifest)$/.test(path)
    ? await openLocalAof(context, path)
    : await openLocalDump(context, path);
}

/** With a repository that has one backup more. */
export function withLocal(context: JobContext, local: LocalBackup | undefined): JobContext {
  if (local === undefined) return context;
  const { repository } = context;
  const { manifest } = local;
  const [id, artefact] = [manifest.id, artefactOf(manifest)];
  const key = repository.artefactKey(id, artefact);
  const store: Store = {
    ...delegate(repository.store),
    get: async (wanted, options) =>
      wanted === key
        ? { bytes: artefact.stored.bytes, chunks: local.read(options.signal) }
        : await repository.store.get(wanted, options),
  };
  const find: Repository['find'] = async (wanted, signal, kind) =>
    wanted === id ? manifest : await repository.find(wanted, signal, kind);
  return { ...context, repository: { ...repository, store, find } };
}

/** A store may be of a class, whose methods are not its own. */
function delegate(store: Store): Store {
  return {
    description: store.description,
    put: (...args) => store.put(...args),
    get: (...args) => store.get(...args),
    stat: (...args) => store.stat(...args),
    list: (...args) => store.list(...args),
    remove: (...args) => store.remove(...args),
    sweep: (...args) => store.sweep(...args),
    free: () => store.free(),
    close: () => store.close(),
  };
}
