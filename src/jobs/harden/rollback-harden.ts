import { existsSync } from 'node:fs';
import { AgentError } from '../../domain/errors.ts';
import { hasChangedNothing } from '../../harden/applied.ts';
import { newToken, type Journal, type JournalFolder } from '../../harden/apply/journal.ts';
import type { Job, JobContext } from '../job.ts';
import { pastChanges, type HardenRun } from './apply/run.ts';
import { passwordPath } from './apply/passwords.ts';
import { makeReady, type Recovered } from './apply/recover.ts';
import { requireFilesUnedited, takeBack } from './apply/take-back.ts';
import { requireUsersUnedited } from './apply/users.ts';
import { validateRollback } from './apply/validate.ts';
import { describeRecovered, requireRestartable } from './apply-harden.ts';
import { inspectServer, type Admin, type InspectedServer } from './inspect-server.ts';

export interface RollbackOptions {
  /** Which; the last that was done and not taken back when left out. */
  id: string | undefined;
  admin: Admin | undefined;
  restart: boolean;
  /** Only say what would be. */
  dryRun: boolean;
  onStep?: HardenRun['onStep'];
}

export interface RollbackReport {
  undone: string;
  policy: string;
  outcome: 'planned' | 'done';
  changes: Journal['changes'];
  users: string[];
  files: string[];
  /** Files with passwords of users that are gone then: removed. */
  passwords: string[];
  /** Directives that count from the next start only. */
  waiting: string[];
  interrupted: string | null;
}

const withoutRestart = 'without --restart the rest is taken back';

export const rollBackHarden: Job<RollbackOptions, RollbackReport>['run'] = async (
  context,
  { id, admin, restart, dryRun, onStep },
) => {
  if (dryRun) {
    const last = await look(context, admin, id);
    const value = { ...reportOf(context, last, null), undone: last.undoes ?? last.token };
    return { value, summary: `${value.undone} could be taken back`, findings: [], evaluated: [] };
  }
  const { inspected, run, recovered } = await makeReady(context, admin, onStep);
  try {
    if (recovered !== null && isTakenBack(recovered) && isMeant(recovered.journal, id))
      return ended(context, recovered);
    const last = choose(context, await run.journals.closed(), id);
    const report = reportOf(context, last, recovered);
    const waits = report.waiting;
    const summary = `${context.instance.name}: ${last.token} taken back`;
    const restarts = restart && waits.length > 0;
    await requireUnedited(inspected, run.journals, last);
    if (restarts) {
      requireRestartable(context, asBefore(inspected, last), withoutRestart);
      await validateRollback(run, inspected, last);
    }
    const now = context.clock.now();
    await takeBack(
      run,
      {
        ...last,
        token: newToken(now),
        kind: 'rollback',
        undoes: last.token,
        started_at: new Date(now).toISOString(),
        step: 'undo-files',
        restart: restarts,
        problem: null,
        outcome: null,
      },
      null,
    );
    return {
      value: {
        ...report,
        outcome: 'done',
        waiting: restarts ? [] : waits,
        passwords: report.passwords.filter((path) => !existsSync(path)),
      },
      summary,
      findings: [],
      evaluated: [],
    };
  } finally {
    run.lifeline?.close();
    inspected.connection.close();
  }
};

/** What would be taken back, without recovering anything. Rejects as the rollback itself would. */
async function look(context: JobContext, admin: Admin | undefined, id: string | undefined): Promise<Journal> {
  const inspected = await inspectServer(context, admin);
  try {
    const journals = await inspected.files.journals();
    const open = await journals.read();
    // One that was cut off is the last one, and is taken back first.
    if (open !== undefined && isMeant(open, id)) return open;
    const last = choose(context, await journals.closed(), id);
    await requireUnedited(inspected, journals, last);
    return last;
  } finally {
    inspected.connection.close();
  }
}

async function requireUnedited(
  { connection, files }: InspectedServer,
  journals: JournalFolder,
  last: Journal,
): Promise<void> {
  await requireUsersUnedited(connection, last);
  await requireFilesUnedited(files, journals, last);
}

function isTakenBack({ journal, outcome }: Recovered): boolean {
  return journal.kind === 'rollback' || outcome === 'rolled-back';
}

/** Is it what would be taken back by that id, or without one? */
function isMeant({ token, undoes }: Journal, id: string | undefined): boolean {
  return id === undefined || id === (undoes ?? token);
}

/** What was asked for is done by having ended what was cut off: a change before it is not taken back as well. */
function ended(
  context: JobContext,
  recovered: Recovered,
): { value: RollbackReport; summary: string; findings: []; evaluated: [] } {
  const { journal } = recovered;
  const undone = journal.undoes ?? journal.token;
  const report = reportOf(context, journal, recovered);
  const waiting = journal.restart ? [] : report.waiting;
  return {
    value: { ...report, undone, outcome: 'done', waiting, passwords: [] },
    summary: `${context.instance.name}: ${undone} taken back`,
    findings: [],
    evaluated: [],
  };
}

/** By the values that it has when it is stopped. */
function asBefore(inspected: InspectedServer, { changes }: Journal): InspectedServer {
  const values = changes.flatMap((change) =>
    change.class === 'run time' ? [[change.directive, change.run_time] as const] : [],
  );
  return { ...inspected, config: new Map([...inspected.config, ...values]) };
}

function reportOf(
  { settings, instance }: JobContext,
  { token, policy, changes, users, files }: Journal,
  recovered: Recovered | null,
): RollbackReport {
  return {
    undone: token,
    policy,
    outcome: 'planned',
    changes,
    users: users.map(({ user }) => user),
    files: files.map(({ path }) => path),
    passwords: users
      .flatMap(({ user, made_password: ours }) =>
        ours === true ? passwordPath(settings.state.path, instance.name, user) : [],
      )
      .filter((path) => existsSync(path)),
    waiting: changes.filter((change) => change.class === 'restart').map(({ directive }) => directive),
    interrupted: recovered === null ? null : describeRecovered(recovered),
  };
}

function choose(context: JobContext, closed: readonly Journal[], id: string | undefined): Journal {
  const undone = new Set(closed.flatMap(({ kind, undoes }) => (kind === 'rollback' ? (undoes ?? []) : [])));
  const open = closed.filter(
    ({ kind, outcome, token }) => kind === 'apply' && outcome === 'done' && !undone.has(token),
  );
  const [last] = open;
  const found = open.find(({ token }) => token === (id ?? last?.token));
  if (found === undefined) throw nothingToTakeBack(context, last, id);
  if (found === last) return last;
  throw new AgentError('refused', `${id} is not the last change: ${last?.token} came after it`, {
    reason: 'order',
    hint: `take that back first: redis-agent harden rollback ${last?.token}`,
  });
}

function nothingToTakeBack(
  context: JobContext,
  last: Journal | undefined,
  id: string | undefined,
): AgentError {
  const idle = pastChanges(context).filter(hasChangedNothing);
  const empty = idle.find(({ token }) => token === (id ?? idle[0]?.token));
  const is =
    id === undefined
      ? 'there is no change that could be taken back'
      : `there is no change ${JSON.stringify(id)} that could be taken back`;
  const why = empty === undefined ? '' : ': harden apply has found all as it is to be, and changed nothing';
  const named = last === undefined ? '' : `the last one is ${last.token}; `;
  return new AgentError('usage', `${is}${why}`, {
    reason: 'missing',
    hint: `${named}see: redis-agent harden history`,
  });
}
