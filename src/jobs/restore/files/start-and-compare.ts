import { join } from 'node:path';
import type { Journal } from '../../../backup/restore/journal.ts';
import {
  judgeLoad,
  reportLoad,
  type ExpectedKeys,
  type LoadReport,
} from '../../../backup/restore/judge-load.ts';
import { listFiles } from '../../../backup/restore/swap.ts';
import { without } from '../../../backup/verify/compare-counts.ts';
import type { Info } from '../../../formats/info/parse-info.ts';
import { leftOut } from '../../prove/compare-keys.ts';
import { takeBack } from './roll-back.ts';
import { followLog, NotServing, onward, untilServing, type ServerLog } from './server.ts';
import { begin, close, type RestoreRun } from './steps.ts';

export interface Served {
  load: LoadReport;
  /** Absolute paths of what was set aside. */
  setAside: string[];
}

/** From placed files to served data; what does not come up, or is not what it should be, goes back. */
export async function startAndCompare(run: RestoreRun, placed: Journal): Promise<Served> {
  const log = await followLog(run.folder, run.logfile);
  try {
    const started = await begin(run, placed, 'start');
    await run.service.start(onward);
    const info = await untilServing(run.context, run.folder.dir, run.service, log);
    return await compareAndCommit(run, started, info, { fresh: true, log });
  } catch (error) {
    if (!(error instanceof NotServing)) throw error;
    throw await takeBack(run, placed, error);
  }
}

/** `fresh`: it has loaded just now. */
export async function compareAndCommit(
  run: RestoreRun,
  started: Journal,
  info: Info,
  { fresh, log }: { fresh: boolean; log: ServerLog },
): Promise<Served> {
  const comparing = await begin(run, started, 'compare');
  let { expected } = comparing;
  let problem = judgeLoad(expected, info, fresh);
  if (problem !== undefined) {
    expected = await withoutEmpty(run, comparing);
    if (expected !== null) problem = judgeLoad(expected, info, fresh);
  }
  if (problem !== undefined) throw new NotServing(problem, await log.lines(run.service));
  return await commit(run, comparing, reportLoad(expected, info));
}

/** What is expected of a server that leaves empty keys out; null where there are none. */
async function withoutEmpty(
  { context }: RestoreRun,
  { backup, expected, kind }: Journal,
): Promise<ExpectedKeys | null> {
  if (expected === null || kind !== 'restore') return null;
  // Whatever goes wrong here, the counts differ.
  const left = await context.repository
    .find(backup, context.signal)
    .then((manifest) => leftOut(context, manifest))
    .catch(() => undefined);
  return left === undefined ? null : { ...expected, databases: without(expected.databases, left) };
}

/** The last step: from here on it is done. */
export async function commit(run: RestoreRun, journal: Journal, load: LoadReport): Promise<Served> {
  const committed = await begin(run, journal, 'commit');
  await close(run, committed, 'done');
  const inTheWay = run.inTheWay.map((name) => join(run.folder.dir, name));
  return { load, setAside: [...listFiles(run.folder.dir, journal.kept), ...inTheWay] };
}
