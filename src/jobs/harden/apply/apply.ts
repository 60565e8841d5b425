import { AgentError, hasReason, messageOf, reasons } from '../../../domain/errors.ts';
import { keysIn } from '../../../harden/apply/health.ts';
import { newToken, type Journal, type KeptFile } from '../../../harden/apply/journal.ts';
import { setAtRunTime } from '../../../harden/apply/run-time.ts';
import type { HardenPlan } from '../../../harden/changes.ts';
import { readInfo } from '../../../redis/server.ts';
import type { JobContext } from '../../job.ts';
import type { AclSettings } from '../acl.ts';
import type { PlannedFile, PreparedPlan } from '../plan.ts';
import type { InspectedServer } from '../inspect-server.ts';
import { begin, cannotWrite, lookBefore, closeJournal, type HardenRun } from './run.ts';
import { requireHealth } from './require-health.ts';
import { restartServer } from './restart.ts';
import { takeBack } from './take-back.ts';
import type { MadePassword } from './passwords.ts';
import {
  claimPasswords,
  dropPasswords,
  keepUsers,
  markUsers,
  placePasswords,
  requireUserRight,
  setUsers,
} from './users.ts';
import { validate } from './validate.ts';

export interface Applied {
  plan: HardenPlan;
  outcome: 'done' | 'nothing';
  token: string | null;
  /** Directives that count from the next start only. */
  waiting: string[];
  /** Files with the passwords of new users. */
  passwords: { user: string; path: string }[];
}

/** What is run with a server that answers. */
export async function runFor(
  context: JobContext,
  inspected: InspectedServer,
  onStep: HardenRun['onStep'],
): Promise<HardenRun> {
  const run: HardenRun = {
    context,
    connect: inspected.connect,
    lifeline: inspected.connection,
    files: inspected.files,
    journals: await inspected.files.journals(),
    service: controlOf(context, inspected, async () => {
      await run.lifeline?.call('SHUTDOWN').catch(() => undefined);
    }),
    onStep,
  };
  return run;
}

/** How the server is stopped and started, if anybody knows. `end`: where nobody but itself does. */
export function controlOf(
  { host }: JobContext,
  { user = { uid: 0, gid: 0 } }: Pick<InspectedServer, 'user'>,
  end: () => Promise<void>,
): HardenRun['service'] {
  // What one that a command starts writes to its standard output is not kept.
  return host.control({ dir: '/', user, end, startIn: () => '/', readOutput: () => Promise.resolve('') });
}

/** Does what the plan says, step by step; takes everything back where one of them fails. */
export async function applyPlan(
  run: HardenRun,
  inspected: InspectedServer,
  { plan, planned: prepared, users, held }: PreparedPlan,
  { restart, acl }: { restart: boolean; acl: AclSettings | undefined },
): Promise<Applied> {
  const { context } = run;
  const before = await lookBefore(inspected.connection, users.work);
  let journal = newJournal(context, inspected, plan, restart && plan.restart.length > 0);
  journal.users = users.work.map(({ user, wasThere }) => ({ user, was_there: wasThere, after: null }));
  journal.files = prepared.map(keptOf);
  journal.held = held;
  journal.held_users = users.held;
  await run.onStep('validate');
  run.context.progress.report({ phase: 'validate' });
  const { restart: restarts } = journal;
  await validate(context, inspected, prepared, { changes: plan.changes, users, acl, restart: restarts });
  await requireRight(inspected);
  if (users.work.length > 0) await requireUserRight(inspected.connection);
  let made: MadePassword[] = [];
  let planned = prepared;
  let words: ReadonlyMap<string, readonly string[]> = new Map();
  try {
    journal = await begin(run, journal, 'keep');
    for (const [index, { bytesBefore }] of prepared.entries())
      await run.journals.keep(journal.token, index, bytesBefore);
    if (users.work.length > 0) {
      await keepUsers(run, journal, inspected);
      journal = await begin(run, journal, 'passwords', { users: claimPasswords(run, journal.users) });
      ({ made, planned, words } = placePasswords(run, prepared, users));
    }
  } catch (error) {
    await giveUp(run, journal);
    throw cannotWrite('keep the files as they are', error);
  }
  let applied = false;
  try {
    journal = await begin(run, journal, 'runtime', { files: planned.map(keptOf) });
    await changeRunTime(run, inspected, plan);
    if (words.size > 0) {
      journal = await begin(run, journal, 'users');
      await setUsers(run, inspected, words);
    }
    journal = await begin(run, journal, 'persist', { users: await markUsers(run, journal.users) });
    for (const [index, { real, bytesAfter, attributes, before: was }] of planned.entries()) {
      await run.onStep(`persist ${index + 1} of ${planned.length}`);
      await run.files.replace(real, bytesAfter, attributes, was);
    }
    if (journal.restart) {
      journal = await begin(run, journal, 'restart');
      await saveFirst(run, inspected);
      await restartServer(run);
    }
    journal = await begin(run, journal, 'health');
    await requireHealth(run, inspected, { plan, users }, { before, restarted: journal.restart, acl, made });
    applied = true;
    journal = await begin(run, journal, 'commit');
  } catch (error) {
    if (applied) throw error;
    throw await failed(run, journal, cannotWrite('change the files', error));
  }
  await closeJournal(run, journal, 'done');
  const waiting = journal.restart ? [] : plan.restart;
  const passwords = made.map(({ user, path }) => ({ user, path }));
  return { plan, outcome: 'done', token: journal.token, waiting, passwords };
}

function keptOf({ real, attributes, before, after }: PlannedFile): KeptFile {
  return { path: real, ...attributes, before, after };
}

async function failed(run: HardenRun, journal: Journal, error: unknown): Promise<AgentError> {
  const problem = messageOf(error);
  run.context.log.warn({ cause: problem }, 'taking everything back');
  await takeBack(run, journal, problem);
  const { reason: why, hint } = error instanceof AgentError ? error : {};
  const reason = reasons.failed.find((each) => each === why) ?? 'apply';
  return new AgentError('failed', `${problem}; everything is as it was before`, {
    cause: error,
    reason,
    hint,
  });
}

async function giveUp(run: HardenRun, journal: Journal): Promise<void> {
  try {
    dropPasswords(run, journal);
    if ((await run.journals.read()) !== undefined)
      await closeJournal(run, { ...journal, problem: 'nothing was begun' }, 'rolled-back');
  } catch (error) {
    run.context.log.error({ cause: messageOf(error) }, 'could not clear up: the next run will');
  }
}

function newJournal(
  { clock, instance }: JobContext,
  { info }: InspectedServer,
  plan: HardenPlan,
  restart: boolean,
): Journal {
  const now = clock.now();
  return {
    schema: 1,
    token: newToken(now),
    kind: 'apply',
    undoes: null,
    instance: instance.name,
    policy: plan.policy,
    started_at: new Date(now).toISOString(),
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
    users: [],
    files: [],
    keys: keysIn(info),
    problem: null,
    outcome: null,
  };
}

/** Before anything is touched: may it change the server at all? The value that is there already changes nothing. */
async function requireRight({ connection, config }: InspectedServer): Promise<void> {
  try {
    await connection.call('CONFIG', 'SET', 'slowlog-max-len', config.get('slowlog-max-len') ?? '128');
  } catch (error) {
    if (!hasReason(error, 'noperm')) throw error;
    throw new AgentError('redis', error.message, {
      reason: 'noperm',
      cause: error,
      hint: 'the agent’s own user is not meant to: give one that may, by --username NAME --password-file FILE',
    });
  }
}

async function changeRunTime(
  { context }: HardenRun,
  inspected: InspectedServer,
  plan: HardenPlan,
): Promise<void> {
  const now = plan.changes.filter((change) => change.class === 'run time');
  const { connection, engine } = inspected;
  const { clock, signal, progress } = context;
  await setAtRunTime(
    { connection, engine, clock, signal, onWait: (phase) => progress.report({ phase }) },
    now.map(({ directive, to }) => ({ directive, value: to })),
    now.map(({ directive, run_time: value }) => ({ directive, value })),
  );
}

/** What it holds, so that a way back needs nothing but the snapshot. */
async function saveFirst({ context, lifeline }: HardenRun, { info }: InspectedServer): Promise<void> {
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
