import { openSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { sha256Of } from '../../../harden/apply/fingerprint.ts';
import { judgeHealth, keysIn, unhealthy, type Before } from '../../../harden/apply/health.ts';
import { openJournals, type Journal } from '../../../harden/apply/journal.ts';
import { setAtRunTime } from '../../../harden/apply/run-time.ts';
import { replaceFile } from '../../../harden/apply/write-file.ts';
import type { HardenPlan } from '../../../harden/changes.ts';
import { fileValue } from '../../../harden/plan/current.ts';
import { nameFor, normalValue } from '../../../formats/conf/values.ts';
import { readForeignFile } from '../../../lib/foreign-file.ts';
import { resolveConf } from '../../../redis/resolve-conf.ts';
import { readInfo } from '../../../redis/server.ts';
import type { JobContext } from '../../job.ts';
import type { PreparedPlan } from '../plan.ts';
import { readRunning, type HardenScene } from '../scene.ts';
import { begin, cannotWrite, lookBefore, settleAs, usersOf, type HardenRun } from './run.ts';
import { restartServer } from './restart.ts';
import { takeBack } from './take-back.ts';
import { validate } from './validate.ts';

const largestFile = 32 * 1024 * 1024;

export interface Applied {
  plan: HardenPlan;
  outcome: 'done' | 'nothing';
  token: string | null;
  /** Directives that count from the next start only. */
  waiting: string[];
}

/** What is run with the scene of a server that answers. */
export function runFor(
  context: JobContext,
  scene: HardenScene,
  { as, realFile }: { as: HardenRun['as']; realFile: string },
  onStep: HardenRun['onStep'],
): HardenRun {
  const run: HardenRun = {
    context,
    connect: scene.connect,
    lifeline: scene.connection,
    journals: openJournals(dirname(realFile), as),
    as,
    service: scene.service?.control({
      end: async () => {
        await run.lifeline?.call('SHUTDOWN').catch(() => undefined);
      },
      output: { open: () => openSync('/dev/null', 'w'), read: () => '' },
      startIn: () => '/',
    }),
    onStep,
  };
  return run;
}

/** Does what the plan says, step by step; takes everything back where one of them fails. */
export async function applyPlan(
  run: HardenRun,
  scene: HardenScene,
  { plan, planned, as }: PreparedPlan,
  { restart }: { restart: boolean },
): Promise<Applied> {
  const { context } = run;
  const before = await lookBefore(scene.connection);
  let journal = newJournal(context, scene, plan, restart && plan.restart.length > 0);
  journal.files = planned.map(({ real, manners, before: was, after }) => ({
    path: real,
    ...manners,
    before: was,
    after,
  }));
  await run.onStep('validate');
  run.context.progress.report({ phase: 'validate' });
  await validate(context, scene, planned, plan.changes);
  await requireRight(scene);
  try {
    journal = await begin(run, journal, 'keep');
    for (const [index, { bytesBefore }] of planned.entries())
      run.journals.keep(journal.token, index, bytesBefore);
  } catch (error) {
    await giveUp(run, journal);
    throw cannotWrite('keep the files as they are', error);
  }
  let applied = false;
  try {
    journal = await begin(run, journal, 'runtime');
    await changeRunTime(run, scene, plan);
    journal = await begin(run, journal, 'persist');
    for (const [index, { real, bytesAfter, manners, before: was }] of planned.entries()) {
      await run.onStep(`persist ${index + 1} of ${planned.length}`);
      requireUnedited(real, was, as);
      replaceFile(real, bytesAfter, manners, as);
    }
    if (journal.restart) {
      journal = await begin(run, journal, 'restart');
      await saveFirst(run, scene);
      await restartServer(run);
    }
    journal = await begin(run, journal, 'health');
    await requireHealth(run, scene, plan, { before, restarted: journal.restart });
    applied = true;
    journal = await begin(run, journal, 'commit');
  } catch (error) {
    if (applied) throw error;
    throw await failed(run, journal, cannotWrite('change the files', error));
  }
  settleAs(run, journal, 'done');
  const waiting = journal.restart ? [] : plan.restart;
  return { plan, outcome: 'done', token: journal.token, waiting };
}

/** Somebody may have saved his editor meanwhile. */
function requireUnedited(path: string, before: string, as: HardenRun['as']): void {
  if (sha256Of(readForeignFile(path, { as, limit: largestFile }).bytes) === before) return;
  throw new AgentError('refused', `${path} was changed by somebody else meanwhile`, {
    reason: 'edited',
    hint: 'plan again',
  });
}

async function failed(run: HardenRun, journal: Journal, error: unknown): Promise<AgentError> {
  const problem = messageOf(error);
  run.context.log.warn({ cause: problem }, 'taking everything back');
  await takeBack(run, journal, problem);
  return new AgentError('failed', `${problem}; everything is as it was before`, {
    cause: error,
    reason: error instanceof AgentError ? (error.reason ?? 'apply') : 'apply',
    ...(error instanceof AgentError && error.hint !== undefined ? { hint: error.hint } : {}),
  });
}

async function giveUp(run: HardenRun, journal: Journal): Promise<void> {
  try {
    if (run.journals.read() !== undefined)
      settleAs(run, { ...journal, problem: 'nothing was begun' }, 'rolled-back');
  } catch (error) {
    run.context.log.error({ cause: messageOf(error) }, 'could not clear up: the next run will');
  }
}

function newJournal(
  { clock, instance }: JobContext,
  { info }: HardenScene,
  plan: HardenPlan,
  restart: boolean,
): Journal {
  const started = new Date(clock.now()).toISOString();
  return {
    schema: 1,
    token: `${started.replaceAll(/[-:.]/g, '')}-${process.pid}`,
    kind: 'apply',
    undoes: null,
    instance: instance.name,
    policy: plan.policy,
    started_at: started,
    step: 'keep',
    run_id: info.get('run_id') ?? '',
    restart,
    changes: plan.changes.map(({ directive, to, run_time, file, class: kind }) => ({
      directive,
      to,
      run_time,
      file,
      class: kind,
    })),
    files: [],
    keys: keysIn(info),
    problem: null,
    outcome: null,
  };
}

/** Before anything is touched: may it change the server at all? The value that is there already changes nothing. */
async function requireRight({ connection, config }: HardenScene): Promise<void> {
  try {
    await connection.call('CONFIG', 'SET', 'slowlog-max-len', config.get('slowlog-max-len') ?? '128');
  } catch (error) {
    if (!(error instanceof AgentError) || error.reason !== 'noperm') throw error;
    throw new AgentError('redis', error.message, {
      reason: 'noperm',
      cause: error,
      hint: 'the agent’s own user is not meant to: give one that may, by --username NAME --password-file FILE',
    });
  }
}

async function changeRunTime({ context }: HardenRun, scene: HardenScene, plan: HardenPlan): Promise<void> {
  const now = plan.changes.filter((change) => change.class === 'run time');
  const { connection, engine } = scene;
  const { clock, signal, progress } = context;
  await setAtRunTime(
    { connection, engine, clock, signal, onWait: (phase) => progress.report({ phase }) },
    now.map(({ directive, to }) => ({ directive, value: to })),
    now.map(({ directive, run_time: value }) => ({ directive, value })),
  );
}

/** What it holds, so that a way back needs nothing but the snapshot. */
async function saveFirst({ context, lifeline }: HardenRun, { info }: HardenScene): Promise<void> {
  if (lifeline === undefined || keysIn(info) === 0) return;
  const before = (await readInfo(lifeline, 'persistence')).get('rdb_last_save_time');
  await lifeline.call('BGSAVE', 'SCHEDULE');
  const start = context.clock.monotonic();
  for (;;) {
    const now = await readInfo(lifeline, 'persistence');
    if (now.get('rdb_bgsave_in_progress') === '0' && now.get('aof_rewrite_in_progress') === '0') {
      if (now.get('rdb_last_bgsave_status') !== 'ok')
        throw new AgentError('failed', 'the snapshot before the restart has failed', { reason: 'bgsave' });
      if (now.get('rdb_last_save_time') !== before || context.clock.monotonic() - start > 2000) return;
    }
    context.progress.report({ phase: 'saving before the restart' });
    await context.clock.sleep(50, context.signal);
  }
}

/** Everybody still gets in, nothing is lost, and policy, run time and files say the same. */
async function requireHealth(
  run: HardenRun,
  scene: HardenScene,
  plan: HardenPlan,
  { before, restarted }: { before: Before; restarted: boolean },
): Promise<void> {
  const { context } = run;
  for (const open of [run.connect, () => context.connect()]) {
    const connection = await open().catch((error: unknown) => {
      throw unhealthy(`a new connection fails: ${messageOf(error)}`);
    });
    connection.close();
  }
  const connection = await run.connect();
  try {
    const info = await readInfo(connection);
    const now = { ...(await lookBefore(connection)), users: await usersOf(connection), info };
    const mayEvict = !/noeviction/.test(scene.config.get('maxmemory-policy') ?? '');
    const why = judgeHealth(before, now, { restarted, mayEvict });
    if (why !== undefined) throw unhealthy(why);
    await requireValues(connection, scene, plan, restarted);
  } finally {
    connection.close();
  }
}

async function requireValues(
  connection: HardenScene['connection'],
  { engine, file, user, service }: HardenScene,
  { changes }: HardenPlan,
  restarted: boolean,
): Promise<void> {
  const running = await readRunning(connection);
  const { entries } = resolveConf(file, { as: user, options: service?.arguments?.directives });
  for (const { directive, to, class: kind } of changes) {
    const facts = nameFor(directive, engine)?.facts;
    if (facts === undefined) continue;
    const now = normalValue(facts, directive, running.get(directive) ?? '');
    if (now !== to && (kind !== 'restart' || restarted))
      throw unhealthy(`${directive} is ${now}, and not ${to}`);
    if (fileValue(directive, facts, entries, engine).value !== to)
      throw unhealthy(`its files say something else of ${directive} than ${to}`);
  }
}
