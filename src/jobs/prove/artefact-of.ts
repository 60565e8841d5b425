import { plainNames, type Artefact, type Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';

/** The one artefact of a backup. Throws an AgentError `damaged` when it has none. */
export function artefactOf({ id, kind, artefacts }: Manifest): Artefact {
  const [artefact] = artefacts;
  if (artefact?.name.startsWith(plainNames[kind]) === true) return artefact;
  throw new AgentError('damaged', `backup ${id} has no artefact`);
}

/**
 * That of a backup that is a dump, for what nothing but a dump can do. `what` says what: `keys are read`. Throws an
 * AgentError `refused` for a backup of the append only file.
 */
export function rdbOf(manifest: Manifest, what: string): Artefact {
  const { id, kind } = manifest;
  if (kind === 'rdb') return artefactOf(manifest);
  throw new AgentError(
    'refused',
    `backup ${id} is one of the append only file, and ${what} from dumps only`,
    {
      reason: 'kind',
      hint: `name one of kind rdb (redis-agent backups list), or restore this one: redis-agent restore ${id}`,
    },
  );
}
