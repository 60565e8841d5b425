import type { Engine, Manifest } from '../../domain/backup.ts';
import { messageOf } from '../../domain/errors.ts';
import { compareVersions } from '../../formats/conf/engine.ts';
import { loadsOf, noteLoad, type Load } from '../../state/loads.ts';
import type { JobContext } from '../job.ts';
import { artefactOf } from './artefact-of.ts';

type Server = { engine: Engine; version: string };

/** Notes in our own state that a scratch server of that version has loaded a backup. Nothing fails for the want of it. */
export function noteLoaded(context: JobContext, manifest: Manifest, { engine, version }: Server): void {
  try {
    const { sha256 } = artefactOf(manifest).plain;
    noteLoad(context.state(), { sha256, kind: manifest.kind, engine, version, at: context.clock.now() });
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot note that a backup was loaded');
  }
}

/**
 * When a scratch server of that version or an older one has loaded these very bytes, as our own state says: what lies beside
 * a backup counts for no more than whoever may write to the repository. Undefined: never, as far as is known.
 */
export function loadedBefore(context: JobContext, manifest: Manifest, server: Server): Load | undefined {
  try {
    const { sha256 } = artefactOf(manifest).plain;
    return loadsOf(context.state(), sha256, manifest.kind).find(
      ({ engine, version }) => engine === server.engine && compareVersions(version, server.version) <= 0,
    );
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot see whether a backup was loaded before');
    return undefined;
  }
}

/** For plans and reports. */
export function describeLoad({ engine, version, at }: Load): string {
  return `loaded by ${engine} ${version} on ${new Date(at).toISOString().slice(0, 10)}, as this agent has noted`;
}
