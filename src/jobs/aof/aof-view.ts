import { join } from 'node:path';
import { gatherFacts } from '../../backup/restore/gather-facts.ts';
import { layoutOf, nextPersistence } from '../../backup/restore/plan-restore.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { readAofPlace, type AofPlace } from '../../redis/aof-place.ts';
import { requireOwnFolder } from '../../redis/process/own-folder.ts';
import { readInfo } from '../../redis/server.ts';
import type { JobContext } from '../job.ts';

interface Answers {
  answers: true;
}

/** It is down, and this is what its next start reads. */
interface Down {
  answers: false;
  /** Where its dump.rdb is. */
  dump: string;
}

/** A server and its append only file. */
export interface AofView {
  info: Info;
  place: AofPlace & (Answers | Down);
}

/** Asks the server, or where it is down its configuration file. Throws an AgentError `redis` where neither tells. */
export async function viewAof(context: JobContext): Promise<AofView> {
  try {
    const connection = await context.connect();
    try {
      const info = await readInfo(connection);
      const place = await readAofPlace(connection, info);
      await requireOwnFolder(info, connection.target, place.dir);
      return { info, place: { ...place, answers: true } };
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'redis') throw error;
    const view = await viewByConf(context);
    if (view === undefined) throw error;
    context.log.warn(
      { cause: error.message },
      'the server does not answer: checking what its next start reads',
    );
    return view;
  }
}

/** Undefined where nobody knows its configuration, or the version that will start. */
async function viewByConf(context: JobContext): Promise<AofView | undefined> {
  const { instance, clock, signal } = context;
  const { host } = context;
  const facts = await gatherFacts({ instance, host, connect: () => context.connect(), clock, signal });
  const persistence = nextPersistence(facts);
  const { program } = facts;
  if (persistence === undefined || program === undefined) return undefined;
  const { dir, dbfilename, appendonly, appendfilename, appenddirname } = persistence;
  const { authority } = layoutOf({ ...persistence, appendonly: true }, program);
  const folder = authority === 'multi' ? join(dir, appenddirname) : undefined;
  return {
    info: new Map([[`${program.engine}_version`, program.version]]),
    place: {
      answers: false,
      dump: join(dir, dbfilename),
      dir,
      wanted: appendonly,
      running: false,
      folder,
      file: folder === undefined ? join(dir, appendfilename) : join(folder, `${appendfilename}.manifest`),
      // The servers' own default: what the file says of it is not read.
      loadTruncated: true,
      rewriting: false,
    },
  };
}
