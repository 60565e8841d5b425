import type { RestoreFacts } from '../../../backup/restore/facts.ts';
import type { Journal } from '../../../backup/restore/journal.ts';
import { planRestore, planUndo, type RestorePlan } from '../../../backup/restore/plan-restore.ts';
import { requirePlace } from '../../../backup/restore/require-place.ts';
import { takeSnapshot } from '../../../backup/snapshot/take-snapshot.ts';
import { totalKeys, type Manifest } from '../../../domain/backup.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { nameDamage } from '../../prove/name-damage.ts';
import { takeBack } from './roll-back.ts';
import { startAndCompare, type Served } from './start-and-compare.ts';
import { abandon } from './end-interrupted.ts';
import {
  asLoadable,
  begin,
  cannotGoOn,
  place,
  stepSeconds,
  stopServer,
  workplace,
  type RestoreRun,
} from './steps.ts';
import type { Load } from '../../../state/loads.ts';
import { artefactOf } from '../../prove/artefact-of.ts';
import { describeLoad, loadedBefore } from '../../prove/loaded-before.ts';
import type { JobContext } from '../../job.ts';
import { interruptedLive } from '../live/recover-live.ts';
import { expectRestore } from '../../drill/last-drill.ts';
import { refuse, type RestoreOptions, type RestoreReport, type RestoreTarget } from './look-at-server.ts';
import { NotServing } from './server.ts';
import { stageDump, type StagedData } from '../../fetch/stage.ts';
import { stageConverted } from '../../fetch/convert-aof.ts';
import { stageAof } from '../../fetch/stage-aof.ts';

/** What a report says of served data. */
export function describeServed(served: Served | undefined): Pick<RestoreReport, 'load' | 'set_aside'> {
  return { load: served?.load ?? null, set_aside: served?.setAside ?? [] };
}

/** Restores a backup by placing its files while the server is down. */
export async function restoreFiles(
  context: JobContext,
  options: RestoreOptions,
  target: RestoreTarget,
  report: RestoreReport,
): Promise<RestoreReport> {
  const { facts, persistence, run } = target;
  const manifest = await context.repository.find(options.which, context.signal);
  const { plain } = artefactOf(manifest);
  const server = facts.program ?? facts.running ?? manifest.server;
  const before = options.proveAgain === true ? undefined : loadedBefore(context, manifest, server);
  const plan = planRestore({
    facts,
    before: before && describeLoad(before),
    manifest,
    latest: options.which === 'latest',
    staleAfter: context.settings.backup.stale_after,
    encrypts: options.local === undefined && context.settings.repository.encryption.age_recipients.length > 0,
    persistence,
    hasAof: target.hasAof,
    expected: await expectRestore(context, plain.bytes, { method: 'files', kind: manifest.kind }),
  });
  // What an interrupted live restore has made of the server is put right first.
  if (options.dryRun && interruptedLive(context) !== null)
    plan.guards = plan.guards.filter(({ name }) => name !== 'replica');
  if (options.dryRun) return { ...report, plan };
  refuse(plan.guards, options.allow);
  // What a server goes on writing at the end of is needed twice, and so is what is made from another form.
  const { authority } = plan.layout;
  const twice = manifest.kind === 'rdb' ? authority === 'single' : authority === 'rdb';
  const bytes = plain.bytes * (twice ? 2 : 1);
  await requirePlace(run.folder, plan.layout, { bytes, asOurselves: !context.host.actsForOthers });
  try {
    const { served, proven } = await runRestore(run, facts, plan, { manifest, before });
    const seconds = stepSeconds(run);
    return { ...report, ...describeServed(served), outcome: 'restored', plan, proven, seconds };
  } finally {
    await run.service.release();
  }
}

async function runRestore(
  run: RestoreRun,
  facts: RestoreFacts,
  plan: RestorePlan,
  { manifest, before }: { manifest: Manifest; before: Load | undefined },
): Promise<{ served: Served; proven: string }> {
  const { context } = run;
  await run.folder.sweep();
  let journal = newJournal(run, facts, {
    kind: 'restore',
    backup: manifest.id,
    layout: plan.layout,
    source: plan.source,
    expected: { ...manifest.keyspace, kind: isConverted(manifest, plan) ? 'rdb' : manifest.kind },
  });
  const at = workplace(run, journal);
  let proven: string;
  let incoming: Awaited<ReturnType<StagedData['incoming']>>;
  let staged: StagedData;
  // What goes on beside the staging ends with it.
  const over = new AbortController();
  const staging = { ...context, signal: AbortSignal.any([context.signal, over.signal]) };
  try {
    journal = await begin(run, journal, 'stage');
    staged = await stagingFor(manifest, plan)(staging, facts, at, manifest, before);
    journal = await begin(run, journal, 'verify');
    proven = await staged.prove();
    if (plan.save) {
      journal = await begin(run, journal, 'save');
      await save(run);
    }
    incoming = await staged.incoming();
    context.signal.throwIfAborted();
    journal = await begin(run, journal, 'stop');
    await stopServer(run);
  } catch (error) {
    over.abort(error);
    await giveUp(run, journal);
    throw cannotGoOn(run, 'stage the backup', nameDamage(manifest.id, error));
  }
  return { served: await placeAndServe(run, journal, incoming), proven };
}

/** Is it an append only file, and made a dump for a server that reads none? */
function isConverted({ kind }: Manifest, { layout }: RestorePlan): boolean {
  return kind === 'aof' && layout.authority === 'rdb';
}

function stagingFor(manifest: Manifest, plan: RestorePlan): typeof stageDump {
  if (isConverted(manifest, plan)) return stageConverted;
  return manifest.kind === 'aof' ? stageAof : stageDump;
}

async function placeAndServe(
  run: RestoreRun,
  journal: Journal,
  incoming: Awaited<ReturnType<typeof asLoadable>>,
): Promise<Served> {
  let placed = journal;
  try {
    placed = await place(run, journal, incoming.files, incoming.rdb);
  } catch (error) {
    const written = (await run.folder.readJournal()) ?? journal;
    if (written.step !== 'place') {
      await giveUp(run, journal);
      throw cannotGoOn(run, 'place the files', error);
    }
    throw await takeBack(run, written, new NotServing(messageOf(error), []));
  }
  return await startAndCompare(run, placed);
}

/** What went wrong says more than what goes wrong in clearing up behind it. */
async function giveUp(run: RestoreRun, journal: Journal): Promise<void> {
  await abandon(run, journal).catch((error: unknown) => {
    run.context.log.error({ cause: messageOf(error) }, 'could not clear up: the next restore will');
  });
}

function newJournal(
  { context }: RestoreRun,
  facts: RestoreFacts,
  what: Pick<Journal, 'kind' | 'backup' | 'layout' | 'source' | 'expected'>,
): Journal {
  const started = new Date(context.clock.now()).toISOString();
  return {
    schema: 1,
    token: `${started.replaceAll(/[-:.]/g, '')}-${process.pid}`,
    instance: context.instance.name,
    started_at: started,
    step: 'stage',
    was_running: facts.running !== undefined,
    keys_before: totalKeys(facts.running?.databases ?? {}),
    kept: {},
    incoming: {},
    moves: [],
    problem: null,
    outcome: null,
    ...what,
  };
}

/** So that what is set aside is what the server holds now, as far as clients let it. */
async function save({ context, folder }: RestoreRun): Promise<void> {
  const { clock, log, signal, settings, progress } = context;
  try {
    const snapshot = await takeSnapshot(() => context.connect(), {
      clock,
      log,
      signal,
      timeout: settings.backup.snapshot_timeout,
      access: folder.dumps,
      onProgress: ({ fraction }) =>
        progress.report({ phase: 'saving', ...(fraction === undefined ? {} : { done: fraction, total: 1 }) }),
    });
    await snapshot[Symbol.asyncDispose]();
  } catch (error) {
    signal.throwIfAborted();
    throw new AgentError(
      'refused',
      `the data that is there now cannot be saved, so it could not be put back: ${messageOf(error)}`,
      {
        cause: error,
        reason: 'unsaved',
        hint: 'put that right; or stop the server yourself, then run this again: what it has not saved is lost then',
      },
    );
  }
}

/** Puts back what the last restore has set aside. */
export async function undoRestore(
  context: JobContext,
  options: RestoreOptions,
  target: RestoreTarget,
  report: RestoreReport,
): Promise<RestoreReport> {
  const { facts, persistence, run } = target;
  const { folder } = run;
  const last = await folder.lastDone();
  if (last === undefined)
    throw new AgentError('failed', `no restore in ${folder.dir} can be undone`, {
      reason: 'missing',
      hint: 'restore a backup: redis-agent backups list',
    });
  const gone = await folder.missingFiles(last.kept);
  if (gone.length > 0) throw isGone(last, gone);
  const plan = planUndo({ facts, persistence, last, hasAof: target.hasAof });
  if (options.dryRun) return { ...report, undo: plan };
  refuse(plan.guards, options.allow);
  await requirePlace(folder, plan.layout, { bytes: 0, asOurselves: !context.host.actsForOthers });
  let journal = newJournal(run, facts, {
    kind: 'undo',
    backup: last.backup,
    layout: plan.layout,
    source: plan.source,
    expected: null,
  });
  try {
    let old: Awaited<ReturnType<typeof asLoadable>>;
    try {
      if (plan.save) {
        journal = await begin(run, journal, 'save');
        await save(run);
      }
      await folder.makeFolder(workplace(run, journal).work);
      // The form that the old data has now is that of its own time.
      old = await asLoadable(run, { ...journal, source: last.source }, last.kept);
      journal = await begin(run, journal, 'stop');
      await stopServer(run);
    } catch (error) {
      await giveUp(run, journal);
      throw cannotGoOn(run, 'put the old data back', error);
    }
    const served = await placeAndServe(run, journal, old);
    return { ...report, ...describeServed(served), outcome: 'undone', undo: plan };
  } finally {
    await run.service.release();
  }
}

/** Seen before the server is stopped for nothing. */
function isGone({ backup, started_at: started }: Journal, gone: string[]): AgentError {
  return new AgentError(
    'failed',
    `what the restore of ${backup}, of ${started}, has set aside is not there any more: ${gone.join(', ')}`,
    { reason: 'missing', hint: 'choose a backup instead: redis-agent backups list' },
  );
}
