import { join } from 'node:path';
import type { Info } from '../formats/info/parse-info.ts';
import type { RedisConnection } from './connection/connect.ts';
import { readConfig } from './server.ts';

/** Where a server writes its append only file, and how it would load it. Ask anew each time: most of it can change. */
export interface AofPlace {
  /** `appendonly`, as it is set now. */
  wanted: boolean;
  /** Does it write one now? Not while a replica is being synchronised. */
  running: boolean;
  /** The server's data folder, as this host has it. */
  dir: string;
  /** 7.0 and newer: the folder with the manifest. Before: undefined, and `file` is the AOF. */
  folder: string | undefined;
  /** The manifest, or before 7.0 the AOF itself. */
  file: string;
  /** `aof-load-truncated`: does a start cut a torn tail off and go on? */
  loadTruncated: boolean;
  /** Is a new base being written, or about to be? */
  rewriting: boolean;
}

export async function readAofPlace(connection: RedisConnection, info: Info): Promise<AofPlace> {
  const [wanted, named, filename, loadTruncated, folderReply] = await Promise.all([
    readConfig(connection, 'appendonly'),
    readConfig(connection, 'dir'),
    readConfig(connection, 'appendfilename'),
    readConfig(connection, 'aof-load-truncated'),
    // Unknown before 7.0, which is an empty answer and no error.
    connection.call('CONFIG', 'GET', 'appenddirname'),
  ]);
  const dir = connection.target.dataDir ?? named;
  const dirname = Array.isArray(folderReply) ? folderReply[1] : undefined;
  const folder = typeof dirname === 'string' ? join(dir, dirname) : undefined;
  return {
    dir,
    wanted: wanted === 'yes',
    running: info.get('aof_enabled') === '1',
    folder,
    file: folder === undefined ? join(dir, filename) : join(folder, `${filename}.manifest`),
    loadTruncated: loadTruncated === 'yes',
    rewriting: info.get('aof_rewrite_in_progress') === '1' || info.get('aof_rewrite_scheduled') === '1',
  };
}
