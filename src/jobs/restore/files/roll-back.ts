import { join } from 'node:path';
import type { Journal } from '../../../backup/restore/journal.ts';
import { planSwap, type DataFiles } from '../../../backup/restore/swap-plan.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { infoInteger, infoKeyspace } from '../../../formats/info/parse-info.ts';
import { askInfo, followLog, NotServing, onward, untilServing } from './server.ts';
import {
  asLoadable,
  begin,
  close,
  makeMoves,
  stopServer,
  suffixFor,
  workplace,
  type RestoreRun,
} from './steps.ts';

/** Goes back to the old data, and gives the error that says so. */
export async function takeBack(run: RestoreRun, journal: Journal, cause: NotServing): Promise<AgentError> {
  const said = cause.lines.map((line) => `\n  ${line}`).join('');
  const what = journal.kind === 'undo' ? 'the data that was put back' : `backup ${journal.backup}`;
  const failed = `the server does not serve ${what}: ${cause.message}`;
  try {
    const { served, aside } = await rollBack(run, { ...journal, problem: failed });
    const left = Object.values(aside).map((name) => join(run.folder.dir, name));
    const now = served
      ? 'is in its place and served'
      : 'is in its place; the server is down, as it was before';
    return new AgentError(
      'failed',
      `${failed}; the old data ${now}${said === '' ? '' : `. The server's log:${said}`}`,
      {
        reason: 'rolled-back',
        cause,
        hint:
          'nothing is lost; find out why, or choose another backup: redis-agent backups list' +
          (left.length === 0
            ? ''
            : `; what did not serve is kept, to be removed by hand: ${left.join(', ')}`),
      },
    );
  } catch (error) {
    return new AgentError(
      'failed',
      `${failed}, and going back failed too: ${messageOf(error)}${said === '' ? '' : `. The server's log:${said}`}`,
      {
        reason: 'roll-back',
        cause: error,
        hint: `nothing is deleted: the old data is in ${run.folder.dir}; when the cause is gone, run: redis-agent restore --undo`,
      },
    );
  }
}

/** `served`: false where the server was down before and is left so; `aside`: what was in the old data's place. */
export async function rollBack(
  run: RestoreRun,
  journal: Journal,
): Promise<{ served: boolean; aside: DataFiles }> {
  const stopping = await begin(run, journal, 'stop-again');
  await stopServer(run);
  await run.folder.makeFolder(workplace(run, journal).work);
  const { planned, aside } = await planPutBack(run, stopping);
  return { served: await putBack(run, planned), aside };
}

async function planPutBack(
  run: RestoreRun,
  journal: Journal,
): Promise<{ planned: Journal; aside: DataFiles }> {
  const { folder } = run;
  const { layout, kept } = journal;
  const now = await folder.lookAtFiles(layout.names);
  const incoming: DataFiles = {};
  const present = { ...now };
  for (const part of ['dump', 'aofFile', 'aofDir'] as const) {
    const aside = kept[part];
    // What was to be set aside and was not is still in its place: it stays there.
    if (aside === undefined) continue;
    if (await folder.isThere(aside)) incoming[part] = aside;
    else present[part] = false;
  }
  const old = await asLoadable(run, journal, incoming);
  const swap = planSwap({
    layout,
    present,
    incoming: old.files,
    bridge: await folder.buildBridge(workplace(run, journal).work, old.rdb ?? null),
    suffix: await suffixFor(run, journal, 'back'),
  });
  const planned = await begin(run, journal, 'put-back', { moves: await folder.identify(swap.moves) });
  return { planned, aside: swap.kept };
}

/** From the step `put-back` on. */
export async function putBack(run: RestoreRun, journal: Journal): Promise<boolean> {
  await makeMoves(run, journal);
  return await startAgain(run, journal);
}

/** From the step `start-again` on; true when the server is up. */
export async function startAgain(run: RestoreRun, journal: Journal): Promise<boolean> {
  let last = journal;
  if (journal.was_running) {
    last = await begin(run, journal, 'start-again');
    await serveOld(run, journal);
  }
  await close(run, await begin(run, last, 'close'), 'rolled-back');
  return journal.was_running;
}

/** Starts a server that has its old data in place, if it is not up. */
export async function serveOld(run: RestoreRun, { keys_before: before }: Journal): Promise<void> {
  const log = await followLog(run.folder, run.logfile);
  let info = await askInfo(run.context).catch(() => undefined);
  if (info?.get('loading') !== '0') {
    await run.service.start(onward);
    info = await untilServing(run.context, run.folder.dir, run.service, log);
  }
  // Nobody counted the old data, but that there was some is known. Its time may be over by now.
  const expired = infoInteger(info, 'rdb_last_load_keys_expired') ?? 0;
  if (before > 0 && expired === 0 && Object.keys(infoKeyspace(info)).length === 0)
    throw new NotServing(`it holds no key, and held ${before} before`, await log.lines(run.service));
}
