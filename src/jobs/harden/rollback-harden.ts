import { existsSync } from 'node:fs';
import { AgentError } from '../../domain/errors.ts';
import type { Journal } from '../../harden/apply/journal.ts';
import type { Job, JobContext } from '../job.ts';
import type { HardenRun } from './apply/run.ts';
import { passwordPath } from './apply/passwords.ts';
import { makeReady, pastChanges, type Recovered } from './apply/recover.ts';
import { takeBack } from './apply/take-back.ts';
import { requireUsersUnedited } from './apply/users.ts';
import { describeRecovered, requireRestartable } from './apply-harden.ts';
import type { Admin } from './inspect-server.ts';

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

export const rollBackHarden: Job<RollbackOptions, RollbackReport>['run'] = async (
  context,
  { id, admin, restart, dryRun, onStep },
) => {
  if (dryRun) {
    const value = reportOf(context, choose(await pastChanges(context, admin), id), null);
    return { value, summary: `${value.undone} could be taken back`, findings: [], evaluated: [] };
  }
  const { inspected, run, recovered } = await makeReady(context, admin, onStep);
  try {
    const last = choose(await run.journals.closed(), id);
    const report = reportOf(context, last, recovered);
    const waits = report.waiting;
    const summary = `${context.instance.name}: ${last.token} taken back`;
    const restarts = restart && waits.length > 0;
    if (restarts) requireRestartable(context, inspected);
    await requireUsersUnedited(inspected.connection, last);
    const started = new Date(context.clock.now()).toISOString();
    await takeBack(
      run,
      {
        ...last,
        token: `${started.replaceAll(/[-:.]/g, '')}-${process.pid}`,
        kind: 'rollback',
        undoes: last.token,
        started_at: started,
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

function choose(recovered: readonly Journal[], id: string | undefined): Journal {
  const undone = new Set(
    recovered.flatMap(({ kind, undoes }) => (kind === 'rollback' ? (undoes ?? []) : [])),
  );
  const open = recovered.filter(
    ({ kind, outcome, token }) => kind === 'apply' && outcome === 'done' && !undone.has(token),
  );
  const [last] = open;
  if (last === undefined)
    throw new AgentError('usage', 'there is no change that could be taken back', {
      reason: 'missing',
      hint: 'see: redis-agent harden history',
    });
  if (id === undefined || id === last.token) return last;
  if (!open.some(({ token }) => token === id))
    throw new AgentError('usage', `there is no change ${JSON.stringify(id)} that could be taken back`, {
      reason: 'missing',
      hint: `the last one is ${last.token}; see: redis-agent harden history`,
    });
  throw new AgentError('refused', `${id} is not the last change: ${last.token} came after it`, {
    reason: 'order',
    hint: `take that back first: redis-agent harden rollback ${last.token}`,
  });
}
