import { canLoad } from '../../backup/restore/judge-rdb-version.ts';
import type { Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import type { JobContext } from '../job.ts';

/** Whose programs can tell whether a backup is sound. */
export interface ReadingServer {
  info: Info;
  /** Why it is not the running one, for people; undefined where it is. */
  instead: string | undefined;
}

/**
 * The running server's programs, since the backup would be restored into it; those of the server that wrote the backup where
 * the running one is too old for it, or another: it calls damaged what it does not know.
 */
export async function readingServer(context: JobContext, manifest: Manifest): Promise<ReadingServer> {
  const info = await infoOf(context, manifest);
  const { engine, version } = engineOf(info);
  if (reads({ engine, version }, manifest)) return { info, instead: undefined };
  return { info: infoOfWriter(manifest), instead: `${engine} ${version}, which runs now, cannot load it` };
}

/** The running server's; else what the manifest says of the backup's source. */
async function infoOf(context: JobContext, manifest: Manifest): Promise<Info> {
  try {
    const connection = await context.connect();
    try {
      return await readInfo(connection);
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'redis') throw error;
    return infoOfWriter(manifest);
  }
}

function infoOfWriter({ server }: Manifest): Info {
  return new Map([[server.engine === 'valkey' ? 'valkey_version' : 'redis_version', server.version]]);
}

function reads(
  running: ReturnType<typeof engineOf>,
  { server: writer, rdb_version: version }: Manifest,
): boolean {
  if (running.engine === writer.engine && !isOlder(running.version, writer.version)) return true;
  // Valkey left Redis's numbers and went on at 80.
  return canLoad(running, { engine: version < 80 ? 'redis' : 'valkey', version });
}

/** Is the first of two versions the older one? */
function isOlder(one: string, other: string): boolean {
  const [ours, theirs] = [one, other].map((version) => version.split('.').map(Number));
  const at = theirs?.findIndex((number, index) => number !== (ours?.[index] ?? 0)) ?? -1;
  return at >= 0 && (ours?.[at] ?? 0) < (theirs?.[at] ?? 0);
}
