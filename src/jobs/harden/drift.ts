import type { Finding } from '../../domain/finding.ts';
import { nameFor, normalValue, outputLimits, wrongLimits } from '../../formats/conf/values.ts';
import { isAccepted } from '../../harden/accept.ts';
import { appliedUsers, appliedValues, type AppliedUser, type AppliedValue } from '../../harden/applied.ts';
import { fileValue } from '../../harden/plan/current.ts';
import type { Policy } from '../../harden/policy.ts';
import { readFiles } from '../../harden/read/read-files.ts';
import { usersOfList } from '../../harden/read/read-users.ts';
import { newToken } from '../../harden/apply/journal.ts';
import { setAtRunTime } from '../../harden/apply/run-time.ts';
import { currentUser } from '../../lib/files/file-owner.ts';
import { resolveConf } from '../../redis/conf/resolve-conf.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { readChanges, recordChange } from '../../state/changes.ts';
import type { Job, JobContext, JobResult } from '../job.ts';
import { prepareUsers, readOptions } from './acl.ts';
import { preparePlan } from './plan.ts';
import {
  inspectServer,
  readAclList,
  readRunning,
  type Admin,
  type InspectedServer,
} from './inspect-server.ts';
import { findUserDrift, userFinding, type UserDrift } from './user-drift.ts';

export interface Drift {
  directive: string;
  applied: string;
  run_time: string;
  /** Null: the files cannot be read from here. */
  file: string | null;
}

const rule = 'config-drift';

export async function lookForDrift(context: JobContext): Promise<JobResult<(Drift | UserDrift)[]>> {
  const { instance } = context;
  const history = readChanges(context.state(), instance.name, 1000);
  const applied = { values: appliedValues(history), users: appliedUsers(history) };
  const number = applied.values.length + applied.users.length;
  const evaluated = [{ rules: [rule] }];
  if (number === 0) return { value: [], summary: 'nothing was applied', findings: [], evaluated };
  const { values, users } = await findDrift(context, applied);
  const findings = [
    ...values.map((drift) => toFinding(instance.name, drift, applied.values)),
    ...users.map((drift) => userFinding(instance.name, rule, drift, applied.users)),
  ];
  const summary = `${findings.length} of ${number} drifted`;
  return { value: [...values, ...users], summary, findings, evaluated };
}

async function findDrift(
  context: JobContext,
  applied: { values: readonly AppliedValue[]; users: readonly AppliedUser[] },
): Promise<{ values: Drift[]; users: UserDrift[] }> {
  const connection = await context.connect();
  try {
    const info = await readInfo(connection);
    const engine = { ...engineOf(info), docker: false };
    const running = await readRunning(connection);
    const conf = resolveConf(info.get('config_file') || undefined);
    const readable = conf.files.length > 0 && conf.problems.length === 0;
    const values = applied.values.flatMap(({ directive, to, class: how, before }) => {
      const facts = nameFor(directive, engine)?.facts;
      const now = running.get(directive);
      if (facts === undefined || now === undefined) return [];
      const runTime = normalValue(facts, directive, now);
      const file = readable ? (fileValue(directive, facts, conf.entries, engine).value ?? '') : null;
      // It waits for a restart.
      const waits = how === 'restart' && runTime === before;
      const isRight = (value: string): boolean => isAsApplied(applied.values, directive, value);
      const holds = (isRight(runTime) || waits) && (file === null || isRight(file));
      return holds ? [] : [{ directive, applied: to, run_time: runTime, file }];
    });
    const list = applied.users.length === 0 ? undefined : await readAclList(connection);
    if (list === undefined) return { values, users: [] };
    const path = conf.files[0]?.path;
    const kept = readable && path !== undefined ? readFiles(path, { engine, alone: false }) : undefined;
    const unread = kept === undefined || (running.get('aclfile') !== '' && kept.aclfile === undefined);
    return {
      values,
      users: findUserDrift(applied.users, {
        engine,
        memory: usersOfList(list, engine),
        file: unread ? undefined : (kept.aclfile?.users ?? kept.users),
        acl: context.settings.harden.acl,
      }),
    };
  } finally {
    connection.close();
  }
}

/** Is it the value that was applied, or one that the policy holds for as good? */
function isAsApplied(applied: readonly AppliedValue[], directive: string, value: string): boolean {
  const found = applied.find((each) => each.directive === directive);
  if (found === undefined || found.to === value) return found !== undefined;
  const { to, accept } = found;
  if (directive === outputLimits) return wrongLimits(value, to, accept.limited === true) === '';
  return isAccepted(value, accept, undefined);
}

function toFinding(
  instance: string,
  { directive, applied, run_time: runTime, file }: Drift,
  all: readonly AppliedValue[],
): Finding {
  const {
    at,
    token,
    class: how,
  } = all.find((each) => each.directive === directive) ?? {
    at: 0,
    token: '',
    class: '',
  };
  const was = how === 'held' ? `was ${applied} at harden apply` : `was set to ${applied} by harden apply`;
  const where = [
    ...(runTime === applied ? [] : [`runs with ${runTime === '' ? '""' : runTime}`]),
    ...(file === null || file === applied ? [] : [`has ${file === '' ? '""' : file} in its files`]),
  ];
  return {
    instance,
    rule,
    resource: directive,
    severity: 'warning',
    summary: `${directive} ${was}, and the server ${where.join(' and ')}`,
    remedy:
      'see it: redis-agent harden plan; put it right: redis-agent harden apply; where the new value is meant, put it into the policy',
    evidence: {
      applied,
      run_time: runTime,
      file,
      applied_at: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
      change: token,
    },
  };
}

export interface EnforceReport {
  instance: string;
  set: { directive: string; from: string; to: string }[];
  /** ACL users that have their rights again. */
  users: string[];
  /** What has drifted and is not put back: the files say something else too, or it would do harm. */
  left: string[];
}

export const enforce: Job<{ admin: Admin | undefined }, EnforceReport>['run'] = async (
  context,
  { admin },
) => {
  const { instance, clock, signal } = context;
  const history = readChanges(context.state(), instance.name, 1000);
  const [applied, users] = [appliedValues(history), appliedUsers(history)];
  const report: EnforceReport = { instance: instance.name, set: [], users: [], left: [] };
  const done = (): JobResult<EnforceReport> => ({
    value: report,
    summary: `${report.set.length + report.users.length} put back`,
    findings: [],
    evaluated: [],
  });
  if (applied.length + users.length === 0) return done();
  const inspected = await inspectServer(context, admin);
  try {
    const { plan } = preparePlan(context, inspected, asPolicy(applied), { reloads: false });
    const back = plan.changes.filter((change) => change.class === 'run time' && change.file === change.to);
    // What counts from the next start only is not put back, and waits; a value that is as good is left as it is.
    report.left = [
      ...plan.changes.filter(
        (change) =>
          !back.includes(change) &&
          change.class !== 'restart' &&
          !(change.class === 'file' && isAsApplied(applied, change.directive, change.file)),
      ),
      ...plan.refused,
    ].map(({ directive }) => directive);
    const settings = back.map(({ directive, to }) => ({ directive, value: to }));
    const inverse = back.map(({ directive, run_time: value }) => ({ directive, value }));
    const { connection, engine } = inspected;
    await setAtRunTime({ connection, engine, clock, signal }, settings, inverse);
    report.set = back.map(({ directive, run_time: from, to }) => ({ directive, from, to }));
    const restored = await putUsersBack(context, inspected, users);
    report.users = restored.users;
    report.left.push(...restored.left.map((user) => `user ${user}`));
    const names = [...back.map(({ directive }) => directive), ...report.users.map((user) => `user ${user}`)];
    if (names.length === 0) return done();
    const now = clock.now();
    recordChange(context.state(), {
      instance: instance.name,
      token: newToken(now),
      kind: 'enforce',
      at: now,
      by: currentUser(),
      outcome: 'done',
      summary: `put back: ${names.join(', ')}`,
      detail: { changes: report.set, users: report.users },
    });
    return done();
  } finally {
    inspected.connection.close();
  }
};

/** Users that are as their file and the configuration have them get that again; never a password that nobody has kept. */
async function putUsersBack(
  { instance, settings }: JobContext,
  inspected: InspectedServer,
  applied: readonly AppliedUser[],
): Promise<{ users: string[]; left: string[] }> {
  if (applied.length === 0 || inspected.users === undefined) return { users: [], left: [] };
  const { engine, connection, file } = inspected;
  const kept = readFiles(file, readOptions(inspected));
  const drifted = (list: readonly string[]): UserDrift[] =>
    findUserDrift(applied, {
      engine,
      memory: usersOfList(list, engine),
      file: kept.aclfile?.users ?? kept.users,
      acl: settings.harden.acl,
    }).filter(({ run_time: what }) => what !== null);
  const found = drifted(inspected.users);
  const { work } = prepareUsers(inspected, instance, settings.harden);
  for (const { user } of found) {
    const wanted = work.find((each) => each.user === user);
    // What is to be written into a file too, or wants a new password, is for who applies it.
    if (wanted?.words !== undefined && wanted.line === undefined && wanted.placeholder === undefined)
      await connection.call('ACL', 'SETUSER', user, ...wanted.words);
  }
  const left = new Set(drifted((await readAclList(connection)) ?? []).map(({ user }) => user));
  const users = found.map(({ user }) => user).filter((user) => !left.has(user));
  return { users, left: [...left] };
}

/** What was applied, and nothing else. */
function asPolicy(applied: readonly AppliedValue[]): Policy {
  return {
    name: 'applied',
    asked: 'applied',
    summary: '',
    wishes: applied.map(({ directive, to, accept }) => ({
      name: directive,
      value: [to],
      accept,
      reason: 'It was applied.',
      source: 'harden history',
      from: 'applied',
    })),
  };
}
