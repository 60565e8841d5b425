import { beforeOf, type Before } from '../../../harden/apply/health.ts';
import type { ApplyStep, Journal, JournalFolder, UndoStep } from '../../../harden/apply/journal.ts';
import type { ServerFiles } from '../../../harden/apply/server-files.ts';
import { AgentError, hasReason, messageOf, systemCode } from '../../../domain/errors.ts';
import { askedBy } from '../../../lib/process/asked-by.ts';
import type { RedisConnection } from '../../../redis/connection/connect.ts';
import { readInfo } from '../../../redis/server.ts';
import type { ServiceControl } from '../../../redis/service/service.ts';
import { readChanges, recordChange, type ChangeRecord } from '../../../state/changes.ts';
import type { JobContext } from '../../job.ts';
import { readAclList } from '../inspect-server.ts';

/** One change of a server at work. */
export interface HardenRun {
  context: JobContext;
  /** Opens another connection as whoever may change the server. */
  connect: () => Promise<RedisConnection>;
  /** Open since before the first step, and kept: whatever becomes of addresses and users, it can take everything back. */
  lifeline: RedisConnection | undefined;
  files: ServerFiles;
  journals: JournalFolder;
  service: ServiceControl | undefined;
  /** Told when a step begins, and before each file. */
  onStep: (step: string) => void | Promise<void>;
}

/** Notes that a step begins: after a kill the next run knows that it may have been done, or in part. */
export async function begin(
  run: HardenRun,
  journal: Journal,
  step: ApplyStep | UndoStep,
  change: Partial<Journal> = {},
): Promise<Journal> {
  const next: Journal = { ...journal, ...change, step };
  try {
    await run.journals.write(next);
  } catch (error) {
    throw cannotWrite(`note the step ${step} in ${run.journals.path}`, error);
  }
  run.context.log.info({ step, token: next.token }, 'harden');
  run.context.progress.report({ phase: step });
  await run.onStep(step);
  return next;
}

/** Ends it: the journal is kept for a rollback and told in the history. */
export async function closeJournal(
  run: HardenRun,
  journal: Journal,
  outcome: 'done' | 'rolled-back',
): Promise<Journal> {
  const recovered = { ...journal, outcome };
  try {
    await run.journals.archive(recovered);
  } catch (error) {
    throw cannotWrite('note that all is done', error);
  }
  const { token, kind, policy, changes, users, problem, undoes, held, held_users } = recovered;
  const names = [...changes.map(({ directive }) => directive), ...users.map(({ user }) => `user ${user}`)];
  const what = kind === 'apply' ? `policy ${policy}` : `back to before ${undoes}`;
  noteChange(run.context, {
    token,
    kind,
    outcome: problem === null ? 'done' : 'rolled-back',
    summary: `${what}: ${names.join(', ')}${problem === null ? '' : `; taken back: ${problem}`}`,
    detail: {
      changes,
      held,
      users,
      held_users,
      undoes,
      files: recovered.files.map(({ path, before, after }) => ({ path, before, after })),
    },
  });
  return recovered;
}

/** Tells the history what has happened now. Nothing hangs on it: where that cannot be written, the journal has it. */
export function noteChange(
  { state, instance, clock, log }: JobContext,
  change: Pick<ChangeRecord, 'token' | 'kind' | 'outcome' | 'summary' | 'detail'>,
): void {
  try {
    const by = askedBy(process.env);
    recordChange(state(), { ...change, instance: instance.name, at: clock.now(), by });
  } catch (error) {
    log.warn({ cause: messageOf(error) }, 'cannot note the change in the state database');
  }
}

/** What the history has of the server, the newest first; none where it cannot be read. */
export function pastChanges({ state, instance, log }: JobContext): ChangeRecord[] {
  try {
    return readChanges(state(), instance.name, 1000);
  } catch (error) {
    log.warn({ cause: messageOf(error) }, 'cannot read the changes in the state database');
    return [];
  }
}

/** Of the system’s own refusals, a full disk most of all; others as they are. */
export function cannotWrite(what: string, error: unknown): unknown {
  if (error instanceof AgentError || systemCode(error) === undefined) return error;
  return new AgentError('failed', `cannot ${what}: ${messageOf(error)}`, {
    cause: error,
    reason: 'place',
    hint: 'put that right (room, rights), then run the same command again',
  });
}

/** The lifeline, or, where the server has ended since, a new connection; undefined: it is down. */
export async function reach(run: HardenRun): Promise<RedisConnection | undefined> {
  if (run.lifeline !== undefined && (await answers(run.lifeline))) return run.lifeline;
  run.lifeline?.close();
  run.lifeline = undefined;
  try {
    run.lifeline = await run.connect();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  return run.lifeline;
}

/** Nobody answers there, and it is not that we are not let in. */
export function isGone(error: unknown): boolean {
  return hasReason(error, 'closed', 'refused', 'timeout', 'unavailable');
}

export async function lookBefore(
  connection: RedisConnection,
  changed: readonly { user: string }[],
): Promise<Before> {
  return beforeOf(await readInfo(connection), await usersOf(connection, changed));
}

/** Its users as it lists them, without those that are changed; undefined where we may not ask. */
async function usersOf(
  connection: RedisConnection,
  changed: readonly { user: string }[],
): Promise<string | undefined> {
  const list = await readAclList(connection);
  const others = list?.filter((line) => !changed.some(({ user }) => line.startsWith(`user ${user} `)));
  return others?.map(inOrder).toSorted().join('\n');
}

async function answers(connection: RedisConnection): Promise<boolean> {
  return await connection.call('PING').then(
    () => true,
    (error: unknown) => !isGone(error),
  );
}

/** Each process lists the commands of a user in an order of its own. */
function inOrder(line: string): string {
  return line.split(' ').toSorted().join(' ');
}
