import { counted, verb } from '../../lib/text/counted.ts';
import type { Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { DataType } from '../../formats/rdb/value-types.ts';
import type { KeyTarget } from './judge-target.ts';
import type { KeyChoice } from './selection.ts';
import type { KeySurvey } from './survey.ts';
import { lackOfDatabase } from './tally.ts';
import type { TtlChoice } from './times-to-live.ts';
import type { ExistingKeys } from './writer-options.ts';

/** What a logical restore will do, before it does any of it. */
export interface KeyPlan {
  source: {
    kind: 'backup' | 'file' | 'report' | 'input';
    name: string;
    backup: string | null;
    taken_at: string | null;
  };
  target: KeyTarget;
  keys: { patterns: string[]; database: number | null; type: DataType | null; to_database: number | null };
  existing: ExistingKeys;
  /** What becomes of times to live. */
  ttl: TtlChoice;
  /** Are the dump's function libraries loaded, too? */
  with_functions: boolean;
  /** By RESTORE, or by the plain commands of each type, and then why. */
  method: 'restore' | 'commands';
  method_reason: string | null;
  /** Counted in the dump; null where it is read only once. */
  survey: KeySurvey | null;
  /** Records of the dump that an earlier, interrupted run has done. */
  resumes_from: number | null;
  warnings: string[];
}

export interface KeyPlanFacts extends Omit<KeyPlan, 'source' | 'keys' | 'warnings'> {
  keys: KeyChoice & { to_database: number | undefined };
  source: { kind: KeyPlan['source']['kind']; name: string; manifest: Manifest | undefined };
}

/** Makes the plan. Throws an AgentError `refused` where keys would be lost or mixed up, which names the way on. */
export function judgeKeyPlan({ source: { kind, name, manifest }, keys, ...facts }: KeyPlanFacts): KeyPlan {
  refuseMixing(keys.to_database, facts);
  refuseDatabases(facts);
  refuseExisting(facts);
  const source = { kind, name, backup: manifest?.id ?? null, taken_at: manifest?.snapshot_at ?? null };
  const { patterns, database = null, type = null, to_database: toDatabase = null } = keys;
  return {
    source,
    keys: { patterns, database, type, to_database: toDatabase },
    ...facts,
    warnings: [...warnings(facts, manifest)],
  };
}

type Facts = Omit<KeyPlanFacts, 'source' | 'keys'>;

function refuseMixing(toDatabase: number | undefined, { survey }: Facts): void {
  const databases = Object.keys(survey?.databases ?? {});
  if (toDatabase === undefined || databases.length < 2) return;
  throw new AgentError(
    'refused',
    `these keys are of the databases ${databases.join(', ')}: in one, some would take the place of others`,
    { reason: 'databases', hint: 'say which with --db' },
  );
}

/** A cluster has one database, as a rule: keys of others would be left out, or would meet in it. */
function refuseDatabases({ survey, target }: Facts): void {
  if (target.cluster === null) return;
  const lacking = survey?.impossible.filter(({ reason }) => lackOfDatabase.test(reason)) ?? [];
  if (lacking.length === 0) return;
  const keys = lacking.reduce((sum, failed) => sum + failed.keys, 0);
  throw new AgentError(
    'refused',
    `${keys} of these keys are of databases that the cluster ${target.name} does not have: nothing was written`,
    {
      reason: 'databases',
      hint: 'write those of one database with --db N, and with --to-db 0 where that is not the first; keys of the same name in two of them would meet',
    },
  );
}

function refuseExisting({ existing, survey, target }: Facts): void {
  if (existing !== 'stop' || !survey?.existing) return;
  const { existing_examples: examples, keys } = survey;
  throw new AgentError(
    'refused',
    `${target.name} already has ${survey.existing} of ${keys === 1 ? 'this one key' : `these ${keys} keys`} (${examples.join(', ')}): nothing was written`,
    {
      reason: 'exists',
      hint: 'say --replace to overwrite such keys, or --skip-existing to leave them as they are',
    },
  );
}

function* warnings(
  { target, existing, survey, with_functions: loads }: Facts,
  manifest: Manifest | undefined,
): Generator<string> {
  const { server } = manifest ?? {};
  const same =
    server !== undefined &&
    (server.run_id === target.run_id || server.replication_id === target.replication_id);
  if (same && existing === 'replace')
    yield 'this is the server that the backup was taken from: what was written to these keys since is lost';
  else if (same) yield 'this is the server that the backup was taken from';
  if (existing === 'replace' && survey?.existing)
    yield `${counted(survey.existing, 'key that is there is', 'keys that are there are')} overwritten`;
  const room = target.maxmemory - target.used_memory;
  if (survey !== null && target.maxmemory > 0 && survey.memory > room)
    yield (
      `its maxmemory leaves ${formatBytes(Math.max(0, room))}, and these keys need about ${formatBytes(survey.memory)}: ` +
        (target.maxmemory_policy === 'noeviction'
          ? 'it will refuse the last of them'
          : 'it will evict others for them')
    );
  for (const problem of survey?.problems ?? [])
    yield `the dump is damaged, and more keys than these may be lost: ${problem}`;
  for (const { reason, keys } of survey?.existing_unknown ?? [])
    yield `of ${counted(keys, 'key')} it does not say whether it has them already: EXISTS is ${reason}`;
  if (survey !== null && survey.functions > 0)
    yield loads
      ? `${libraries(survey.functions)} in the dump ${verb(survey.functions, 'is', 'are')} loaded behind the keys`
      : `${libraries(survey.functions)} in the dump ${verb(survey.functions, 'is no key, and is', 'are no keys, and are')} not written: --with-functions loads ${verb(survey.functions, 'it', 'them')}`;
  for (const { reason, keys } of survey?.impossible ?? [])
    yield `${counted(keys, 'key')} cannot be written: ${reason}`;
}

function libraries(count: number): string {
  return counted(count, 'function library', 'function libraries');
}
