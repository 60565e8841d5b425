import { stat } from 'node:fs/promises';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { RedisTarget } from '../connection/target.ts';
import { findServerProcess } from './server-process.ts';

/**
 * Is the folder that a server names the one in which its process works? In a container, or with a mount of its own, a path may
 * be that of another server here. unknown: its process, or where that works, cannot be seen; other users' show only to root.
 */
async function compareFolder(info: Info, url: string, dir: string): Promise<'own' | 'another' | 'unknown'> {
  const process = await findServerProcess(info, url);
  if (process === undefined) return 'unknown';
  const works = await stat(`/proc/${process.pid}/cwd`, { bigint: true }).catch(() => undefined);
  const named = await stat(dir, { bigint: true }).catch(() => undefined);
  if (works === undefined || named === undefined) return 'unknown';
  return works.dev === named.dev && works.ino === named.ino ? 'own' : 'another';
}

/** Throws an AgentError `refused` where what lies at the path is not the server's. Was it seen that it is? */
export async function requireOwnFolder(
  info: Info,
  { name, url, dataDir }: Pick<RedisTarget, 'name' | 'url' | 'dataDir'>,
  dir: string,
): Promise<boolean> {
  const whose = await compareFolder(info, url, dir);
  if (whose !== 'another') return whose === 'own';
  throw new AgentError(
    'refused',
    dataDir === undefined
      ? `instance ${name}: ${dir} is not the folder in which this server works: here that path is another one`
      : `instance ${name}: data_dir ${dir} is not the folder in which this server works`,
    {
      reason: 'another-folder',
      hint:
        dataDir === undefined
          ? 'it runs in a container, or with mounts of its own: name its data folder as this host has it (data_dir: of this instance), mount it here under the path that it has for it, or run the agent beside it'
          : 'name the folder that is mounted into its container as its dir, as this host has it',
    },
  );
}
