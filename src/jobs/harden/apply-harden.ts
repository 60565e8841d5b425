import { isDeepStrictEqual } from 'node:util';
import { AgentError } from '../../domain/errors.ts';
import type { Policy } from '../../harden/policy.ts';
import { isDone, type HardenPlan, type Obstacle } from '../../harden/changes.ts';
import type { Guards } from '../../harden/plan/guards.ts';
import { infoInteger } from '../../formats/info/parse-info.ts';
import { counted } from '../../lib/text/counted.ts';
import { appliedUsers, appliedValues } from '../../harden/applied.ts';
import { newToken } from '../../harden/apply/journal.ts';
import { keysIn } from '../../harden/apply/health.ts';
import type { Job, JobContext } from '../job.ts';
import { applyPlan, type Applied } from './apply/apply.ts';
import { noteChange, pastChanges, type HardenRun } from './apply/run.ts';
import { makeReady, type Recovered } from './apply/recover.ts';
import { filesOf, policyFor, summaryOf } from './plan-harden.ts';
import { preparePlan, type PreparedPlan } from './plan.ts';
import type { Admin, InspectedServer } from './inspect-server.ts';

export interface ApplyOptions {
  policy: string | undefined;
  /** Instead of one by its name. */
  given?: Policy | undefined;
  admin: Admin | undefined;
  /** The plan that was agreed to: anything else is refused. */
  agreed: HardenPlan | undefined;
  restart: boolean;
  /** Obstacles that are insisted on. */
  allow: readonly string[];
  onStep?: HardenRun['onStep'];
  /** What is not done, whatever the policy says; tests leave it out to see what it is for. */
  stops?: Guards;
}

export interface ApplyReport extends Applied {
  /** Of an earlier run that was killed. */
  interrupted: string | null;
}

export const applyHarden: Job<ApplyOptions, ApplyReport>['run'] = async (context, options) => {
  const policy = options.given ?? (await policyFor(context.instance, options.policy));
  const ready = await makeReady(context, options.admin, options.onStep, filesOf(policy));
  const { inspected, run, recovered } = ready;
  try {
    // A policy that was handed over, as for TLS, says nothing of users.
    const acl = options.given === undefined ? context.settings.harden : undefined;
    const prepared = preparePlan(context, inspected, policy, { stops: options.stops, acl });
    const { plan } = prepared;
    const done = isDone(plan, options.restart);
    refuse(plan.obstacles, done ? plan.obstacles.map(({ name }) => name) : options.allow);
    requireAgreed(plan, options.agreed);
    const interrupted = recovered === null ? null : describeRecovered(recovered);
    if (done) {
      noteHeld(context, prepared);
      return result({
        plan,
        outcome: 'nothing',
        token: null,
        waiting: plan.restart,
        passwords: [],
        interrupted,
      });
    }
    if (options.restart && plan.restart.length > 0) requireRestartable(context, inspected);
    return result({
      ...(await applyPlan(run, inspected, prepared, { restart: options.restart, acl })),
      interrupted,
    });
  } finally {
    run.lifeline?.close();
    inspected.connection.close();
  }
};

/** What is right without our doing is noted too, unless it is by now: drift goes by it. */
function noteHeld(context: JobContext, { plan: { policy, restart }, held: all, users }: PreparedPlan): void {
  const held = all.filter(({ directive }) => !restart.includes(directive));
  const history = pastChanges(context);
  const [values, marks] = [appliedValues(history), appliedUsers(history)];
  const isNoted =
    held.every(({ directive, to, accept }) =>
      values.some((each) =>
        isDeepStrictEqual([each.directive, each.to, each.accept], [directive, to, accept]),
      ),
    ) && users.held.every(({ user, mark }) => marks.some((each) => each.user === user && each.mark === mark));
  if (isNoted) return;
  noteChange(context, {
    token: newToken(context.clock.now()),
    kind: 'apply',
    outcome: 'done',
    summary: `policy ${policy}: nothing to change`,
    detail: { changes: [], held, users: [], held_users: users.held },
  });
}

function result(value: ApplyReport) {
  return {
    value,
    summary: summaryOf(value.plan),
    detail: { token: value.token },
    findings: [],
    evaluated: [],
  };
}

export function describeRecovered({ journal, outcome }: Recovered): string {
  const what = journal.kind === 'apply' ? `an apply of ${journal.policy}` : `a rollback of ${journal.undoes}`;
  return `${what}, begun ${journal.started_at}, was cut off at ${journal.step}: ${outcome === 'finished' ? 'finished' : 'taken back'} now`;
}

/** Throws when something stands in the way that was not insisted on; names all of it at once. */
function refuse(obstacles: readonly Obstacle[], allow: readonly string[]): void {
  const standing = obstacles.filter(({ name }) => !allow.includes(name));
  if (standing.length === 0) return;
  const flags = standing.flatMap(({ flag }) => flag ?? []);
  const insist = flags.length < standing.length ? '' : `; to insist: ${[...new Set(flags)].join(' ')}`;
  throw new AgentError('refused', standing.map(({ why }) => why).join('; and '), {
    reason: standing[0]?.name ?? 'obstacle',
    hint: `${standing.map(({ instead }) => instead).join('; ')}${insist}`,
  });
}

function requireAgreed(plan: HardenPlan, agreed: HardenPlan | undefined): void {
  if (agreed === undefined || agreed.fingerprint === plan.fingerprint) return;
  const apart = differencesOf(agreed, plan);
  const what = apart.length === 0 ? '' : ` (${apart.slice(0, 3).join('; ')})`;
  throw new AgentError(
    'refused',
    `the server or its files are not as they were when that plan was made${what}`,
    {
      reason: 'plan',
      hint: 'make it again: redis-agent harden plan --out plan.json',
    },
  );
}

/** What is planned otherwise now, for people. */
function differencesOf(before: HardenPlan, now: HardenPlan): string[] {
  const [old, fresh] = [partsOf(before), partsOf(now)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((name) => old.get(name) !== fresh.get(name))
    .map((name) => {
      if (!fresh.has(name)) return `${name} is not to be changed any more${whyNot(name, now)}`;
      return old.has(name) ? `${name} is otherwise than it was` : `${name} is to be changed too`;
    });
}

/** What a plan stands and falls with, by name, as text to compare. */
function partsOf({ changes, users, files }: HardenPlan): Map<string, string> {
  return new Map([
    ...changes.map(({ directive, to, run_time: is, file }): [string, string] => [
      directive,
      JSON.stringify([to, is, file]),
    ]),
    ...users.map(({ user, ...change }): [string, string] => [`user ${user}`, JSON.stringify(change)]),
    ...files.map(({ path, before }): [string, string] => [path, before]),
  ]);
}

function whyNot(name: string, { refused }: HardenPlan): string {
  const found = refused.find(({ directive }) => directive === name);
  return found === undefined ? '' : `: ${found.why}`;
}

/** What a restart would lose, or whom it would leave without a master. */
export function requireRestartable(
  { instance }: JobContext,
  { info, config, service }: InspectedServer,
  without = 'without --restart the rest is applied',
): void {
  const stop = (why: string, hint: string): AgentError =>
    new AgentError('refused', `${instance.name} is not restarted: ${why}`, { reason: 'restart', hint });
  if (service === undefined)
    throw stop('nothing says how it is stopped and started', 'set service: of this instance');
  const replicas = infoInteger(info, 'connected_slaves') ?? 0;
  if (info.get('role') === 'master' && replicas > 0)
    throw stop(
      `it is the master of ${counted(replicas, 'replica')}`,
      `restart the replicas first, fail over (SENTINEL FAILOVER, or FAILOVER), then this one; ${without}`,
    );
  const saves = config.get('save') !== '' || config.get('appendonly') === 'yes';
  if (!saves && keysIn(info) > 0)
    throw stop(
      `it saves nothing then, and its ${counted(keysIn(info), 'key')} would be gone`,
      `${without}; have it save something (CONFIG SET save "3600 1"), or restart it yourself`,
    );
}
