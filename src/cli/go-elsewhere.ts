import { runMind } from '../app/switch/run-mind.ts';
import type { Named } from '../app/switch/told-consumers.ts';
import { askUnit } from '../app/units/ask-unit.ts';
import type { ServingUnit, SharedWork } from '../app/units/places.ts';
import { AgentError, hasReason } from '../domain/errors.ts';
import type { GlobalOptions } from './define-command.ts';
import type { CliHost } from './cli-host.ts';

/** How a command gets to what only others may do; see Command. */
export interface Ways {
  shared: SharedWork | undefined;
  lend: readonly string[];
  write: string | undefined;
  fill: string | undefined;
  tells: Named | undefined;
  recovers: boolean;
  unit: ServingUnit | undefined;
}

export function isForOthers(
  { unit, lend, write, fill }: Ways,
  { config }: GlobalOptions,
  forOthers: ServingUnit,
): boolean {
  const named = lend.length > 0 || write !== undefined || fill !== undefined;
  return unit === forOthers && !named && config === undefined;
}

/** By units of this host where one may ask them; by another process where we are root. Undefined: it is done here. */
export async function goElsewhere(
  argv: readonly string[],
  { config }: GlobalOptions,
  { unit, shared, ...ways }: Ways,
  host: CliHost,
): Promise<number | undefined> {
  // They have the configuration of this host.
  const own = config !== undefined || Boolean(host.env['REDIS_AGENT_CONFIG']);
  const asked = own || unit === undefined ? undefined : await askUnit(unit, { ...host, argv });
  if (asked !== undefined || shared === undefined) return asked;
  return await runMind({ ...host, argv, configPath: config, kind: shared, ...ways });
}

/** Whoever may not read the configuration is no member of that group, or is not root. */
export function withWayThere(error: unknown): never {
  if (!hasReason(error, 'config-unreadable')) throw error;
  throw error.retold(
    error.message,
    'run it with sudo; or as a member of the group redis-agent-admin, once sudo redis-agent init --units was run',
  );
}

export function notForOthers(unit: ServingUnit): AgentError {
  const what =
    unit === 'restore'
      ? 'only backups of the repository are restored'
      : 'only policies of the package are applied, as harden.admin';
  return new AgentError('usage', `without root ${what}, by the configuration of this host`, {
    hint: 'run it as root: sudo redis-agent …',
  });
}
