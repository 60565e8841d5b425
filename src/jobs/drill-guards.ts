import type { Manifest } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import { engineOf } from '../redis/server.ts';
import { findCheckTool } from '../redis/tools.ts';
import type { Rehearsal } from './drill-steps.ts';
import type { JobContext } from './job.ts';
import { infoOf, memoryFor, roomFor } from './prover.ts';

/** Guards that somebody may insist on, and what the flag says. */
export const drillGuardFlags = {
  'low-memory': 'Load it although less memory is available than it should need',
} as const;

export type DrillInsistence = keyof typeof drillGuardFlags;

/** This host cannot rehearse a restore now: nothing is said of the backup. */
export class CannotRehearse extends Error {
  override readonly name = 'CannotRehearse';
  readonly reason: string;
  readonly instead: string;

  constructor(reason: string, why: string, instead: string) {
    super(why);
    this.reason = reason;
    this.instead = instead;
  }
}

/** Why a drill that was begun says nothing of its backup; undefined: it failed with something else. */
export function unableBecause(error: unknown): CannotRehearse | undefined {
  if (error instanceof CannotRehearse) return error;
  if (!(error instanceof AgentError)) return undefined;
  const { reason = '', message, hint = '' } = error;
  return reason === 'killed' || reason === 'module' || reason === 'no-identity'
    ? new CannotRehearse(reason, message, hint)
    : undefined;
}

/** Judges, before anything is fetched, whether this host can carry a drill to its end. Throws CannotRehearse. */
export async function prepareRehearsal(
  context: JobContext,
  manifest: Manifest,
  { folder, allow }: { folder: string; allow: readonly DrillInsistence[] },
): Promise<Rehearsal> {
  if (manifest.kind === 'aof')
    throw new CannotRehearse(
      'kind',
      'it is a backup of the append only file, and a drill compares with a dump',
      `load it in a scratch server: redis-agent backups verify ${manifest.id} --load`,
    );
  const [artefact] = manifest.artefacts;
  if (artefact === undefined) throw new AgentError('damaged', `backup ${manifest.id} has no artefact`);
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
  const info = await infoOf(context, manifest);
  const found = await findCheckTool('rdb', info);
  if (found.tool === undefined)
    throw new CannotRehearse('no-server', found.why, 'install the server’s own programs on this host');
  const memory = allow.includes('low-memory') ? undefined : await memoryFor(manifest);
  if (memory !== undefined)
    throw new CannotRehearse('low-memory', memory, 'free some, or rehearse on another host');
  return { manifest, artefact, tool: found.tool, folder, server: engineOf(info) };
}
