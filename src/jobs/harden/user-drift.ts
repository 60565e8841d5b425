import type { Finding } from '../../domain/finding.ts';
import type { EngineVersion } from '../../formats/conf/engine.ts';
import type { AclUser } from '../../formats/acl/user.ts';
import { markOf } from './user-mark.ts';
import { planAcl } from '../../harden/acl/plan-acl.ts';
import type { AppliedUser } from '../../harden/applied.ts';
import type { UserFacts } from '../../harden/facts.ts';
import { printable } from '../../lib/text/printable.ts';
import type { AclSettings } from './acl.ts';

/** A user that is not what harden apply has made it. */
export interface UserDrift {
  user: string;
  /** What has become of it, `is switched off`; null: it is as it was made. */
  run_time: string | null;
  /** Does the next start make it as it was applied? Null: its files cannot be read from here. */
  file: boolean | null;
}

interface Seen {
  engine: EngineVersion;
  memory: readonly UserFacts[];
  /** Undefined: they cannot be read. */
  file: readonly UserFacts[] | undefined;
  acl: AclSettings['acl'];
}

/** Of the users that were applied, those that are another by now. */
export function findUserDrift(applied: readonly AppliedUser[], seen: Seen): UserDrift[] {
  return applied.flatMap(({ user: name, mark }) => {
    const now = find(seen.memory, name);
    const kept = seen.file === undefined ? undefined : find(seen.file, name);
    const drift: UserDrift = {
      user: name,
      run_time: now !== undefined && markOf(now) === mark ? null : describe(name, now, seen),
      file: seen.file === undefined ? null : kept !== undefined && markOf(kept) === mark,
    };
    return drift.run_time === null && drift.file !== false ? [] : [drift];
  });
}

function find(users: readonly UserFacts[], name: string): AclUser | undefined {
  return users.find(({ user }) => user.name === name)?.user;
}

function describe(name: string, now: AclUser | undefined, { memory, engine, acl }: Seen): string {
  if (now === undefined) return 'is gone';
  if (now.enabled && now.noPassword) return 'lets anybody in, without a password';
  if (name === 'default') return now.enabled ? 'lets somebody in again' : 'has other rights';
  if (!now.enabled) return 'is switched off';
  const wish = acl[name];
  const { changes } = planAcl(memory, {
    engine,
    wishes: wish === undefined ? {} : { [name]: wish },
    closeDefault: false,
    connected: new Set(),
    passwordOf: () => '',
  });
  const why = changes[0]?.why;
  return why?.startsWith(`${name} `) === true ? why.slice(name.length + 1) : 'has other rights';
}

export function userFinding(
  instance: string,
  rule: string,
  { user, run_time: runTime, file }: UserDrift,
  applied: readonly AppliedUser[],
): Finding {
  const { at, token } = applied.find((each) => each.user === user) ?? { at: 0, token: '' };
  const where = [
    ...(runTime === null ? [] : [runTime]),
    ...(file === false ? ['is another one in the files'] : []),
  ];
  return {
    instance,
    rule,
    resource: `user ${user}`,
    severity: 'warning',
    summary: printable(`the user ${user} is not what harden apply has made it: it ${where.join(', and ')}`),
    remedy:
      'see it: redis-agent harden plan; put it right: redis-agent harden apply; where the change is meant, put it into harden.acl',
    evidence: {
      user,
      run_time: runTime,
      file,
      applied_at: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
      change: token,
    },
  };
}
