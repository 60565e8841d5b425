import type { Manifest } from '../../domain/backup.ts';
import type { LoadedAs } from '../../domain/drill.ts';
import { AgentError, type ReasonOf } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { toolPlaces } from '../../redis/service/find-service.ts';
import { engineOf } from '../../redis/server.ts';
import { findCheckTool } from '../../redis/process/tools.ts';
import { artefactOf } from '../prove/artefact-of.ts';
import type { Rehearsal } from './stage.ts';
import type { JobContext } from '../job.ts';
import { aofLayoutOf } from '../prove/load-aof.ts';
import { memoryFor, roomFor } from '../prove/prover.ts';
import { readingServer } from '../prove/reading-server.ts';

/** Guards that somebody may insist on, and what the flag says. */
export const drillGuardFlags = {
  'low-memory': 'Load it although less memory is available than it should need',
} as const;

export type DrillInsistence = keyof typeof drillGuardFlags;

/** This host cannot rehearse a restore now: nothing is said of the backup. */
export class CannotRehearse extends Error {
  override readonly name = 'CannotRehearse';
  readonly reason: ReasonOf<'refused'>;
  readonly instead: string;

  constructor(reason: ReasonOf<'refused'>, why: string, instead: string) {
    super(why);
    this.reason = reason;
    this.instead = instead;
  }
}

/** Why a drill that was begun says nothing of its backup; undefined: it failed with something else. */
export function unableBecause(error: unknown): CannotRehearse | undefined {
  if (error instanceof CannotRehearse) return error;
  if (!(error instanceof AgentError)) return undefined;
  const { reason, message, hint = '' } = error;
  const unable = (['killed', 'module', 'no-identity', 'save'] as const).find((each) => each === reason);
  return unable && new CannotRehearse(unable, message, hint);
}

/** Judges, before anything is fetched, whether this host can carry a drill to its end. Throws CannotRehearse. */
export async function prepareRehearsal(
  context: JobContext,
  manifest: Manifest,
  { folder, allow }: { folder: string; allow: readonly DrillInsistence[] },
): Promise<Rehearsal> {
  const artefact = artefactOf(manifest);
  if (artefact.encryption !== null && context.identities().length === 0)
    throw new CannotRehearse(
      'no-identity',
      'it is encrypted, and this host has no repository.encryption.age_identity',
      'set it, or rehearse on a host that has the key',
    );
  // The dump, and what the server writes of it.
  const room = await roomFor(folder, 2 * artefact.plain.bytes);
  if (room !== undefined)
    throw new CannotRehearse('low-disk', room, 'free some there, or rehearse on another host');
  const { info, instead } = await readingServer(context, manifest);
  if (instead !== undefined)
    throw new CannotRehearse(
      'newer-rdb',
      `it is of ${manifest.server.engine} ${manifest.server.version}, and ${instead}`,
      'install a server of that version first, or rehearse another backup: redis-agent backups list',
    );
  const found = await findCheckTool(manifest.kind, info, await toolPlaces(context.instance, context.signal));
  if (found.tool === undefined)
    throw new CannotRehearse('no-server', found.why, 'install the server’s own programs on this host');
  const memory = allow.includes('low-memory') ? undefined : await memoryFor(manifest);
  if (memory !== undefined)
    throw new CannotRehearse('low-memory', memory, 'free some, or rehearse on another host');
  const server = engineOf(info);
  return { manifest, artefact, tool: found.tool, folder, server, loadedAs: loadedAs(manifest, info) };
}

/** As what a restore would place it: a server with its AOF on looks at no dump. */
function loadedAs({ kind, aof }: Manifest, info: Info): LoadedAs {
  if (kind === 'rdb' && info.get('aof_enabled') !== '1') return 'rdb';
  const layout = aofLayoutOf(engineOf(info));
  if (layout === 'single' && aof?.layout === 'multi-part')
    throw new CannotRehearse(
      'layout',
      'servers of before 7.0 do not read an append only file of several parts',
      'rehearse another backup: redis-agent backups list',
    );
  return layout;
}
