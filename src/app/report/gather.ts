import { hostname } from 'node:os';
import { backupIdTime } from '../../backup/id.ts';
import type { Repository } from '../../backup/repository.ts';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { countKeys } from '../../jobs/backup/backup.ts';
import { localTimezone } from '../../lib/time/timezone.ts';
import type { BackupFacts, InstanceFacts, ReportFacts } from '../../report/facts.ts';
import { episodesSince } from '../../state/episodes.ts';
import type { App } from '../build-app.ts';
import { countPattern } from '../../report/model/count-pattern.ts';
import { gatherQueues } from './gather-queues.ts';
import { gatherHistory, gatherSlow } from './gather-history.ts';
import { gatherAudit, gatherNotices } from './gather-told.ts';
import { readMaintenance } from '../maintenance.ts';
import { readStatus } from '../status/read-status.ts';
import { agentVersion } from '../version.ts';

export interface ReportRequest {
  instances: readonly InstanceSettings[];
  /** Milliseconds since the epoch. */
  since: number;
  signal: AbortSignal;
}

/** Everything that a report says, from where the commands have it too. What cannot be had is said in its place. */
export async function gatherReport(
  app: App,
  { instances, since, signal }: ReportRequest,
): Promise<ReportFacts> {
  return {
    now: app.clock.now(),
    since,
    timezone: app.settings.timezone ?? localTimezone(),
    agentVersion,
    host: hostname(),
    instances: await Promise.all(instances.map((instance) => gatherInstance(app, instance, since, signal))),
  };
}

async function gatherInstance(
  app: App,
  instance: InstanceSettings,
  since: number,
  signal: AbortSignal,
): Promise<InstanceFacts> {
  const status = await readStatus(app, instance, signal);
  const episodes = episodesSince(app.state(), since, instance.name).map((episode) => ({
    rule: episode.rule,
    resource: episode.resource,
    severity: episode.severity,
    summary: episode.summary,
    opened: episode.first_seen,
    closed: episode.closed_at,
  }));
  return {
    name: instance.name,
    server: status.server,
    findings: status.findings,
    episodes,
    history: gatherHistory(app, instance, since),
    ...(await gatherBackups(app, instance, since, signal)),
    audit: gatherAudit(app, instance),
    tasks: readMaintenance(app, instance.name).map(({ last, ...standing }) => ({
      ...standing,
      last: last ?? null,
    })),
    slow: gatherSlow(app, instance, since),
    queues: gatherQueues(app, instance, since, episodes),
    notices: gatherNotices(app, instance, since),
  };
}

async function gatherBackups(
  app: App,
  instance: InstanceSettings,
  since: number,
  signal: AbortSignal,
): Promise<Pick<InstanceFacts, 'backups' | 'keyspace'>> {
  try {
    const repository = await app.repository(instance);
    const { backups } = await repository.list(signal);
    const complete = backups.filter((entry) => entry.state === 'complete');
    return {
      backups: await Promise.all(complete.map((entry) => backupFacts(repository, entry, signal))),
      keyspace: await keyspaceFacts(
        repository,
        complete.map(({ id }) => id),
        { since, patterns: patternsOf(app, instance) },
        signal,
      ),
    };
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return { backups: { problem: error.message, hint: error.hint ?? null }, keyspace: null };
  }
}

type Complete = Extract<Awaited<ReturnType<Repository['list']>>['backups'][number], { state: 'complete' }>;

async function backupFacts(
  repository: Repository,
  entry: Complete,
  signal: AbortSignal,
): Promise<BackupFacts> {
  const { id, manifest, objects, verifications, drills } = entry;
  const proof = verifications.at(-1);
  const first = manifest.verified;
  const drill = drills.at(-1);
  const record =
    drill === undefined ? undefined : await quietly(() => repository.readDrill(id, drill.name, signal));
  const proven = { level: first.level, ok: first.ok, at: Date.parse(first.at) };
  return {
    id,
    at: backupIdTime(id) ?? Date.parse(manifest.completed_at),
    kind: manifest.kind,
    keys: countKeys(manifest),
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    // Written, and not looked at since, is no proof.
    proof: proof ?? (first.level === 'written' ? null : proven),
    drill:
      drill === undefined
        ? null
        : { ok: drill.ok, at: drill.at, recoverySeconds: record?.recovery_seconds ?? null },
  };
}

/** The newest report that is kept, and the oldest of the span, to show what grew. */
async function keyspaceFacts(
  repository: Repository,
  ids: readonly string[],
  { since, patterns }: { since: number; patterns: readonly { name: string; match: string }[] },
  signal: AbortSignal,
): Promise<InstanceFacts['keyspace']> {
  const newest = await firstReport(repository, ids.toReversed().slice(0, 3), signal);
  if (newest === undefined) return null;
  const older = ids.filter((id) => (backupIdTime(id) ?? 0) >= since && id !== newest.id);
  const before = await firstReport(repository, older.slice(0, 3), signal);
  return {
    newest: newest.summary,
    at: newest.at,
    before: before === undefined ? null : { summary: before.summary, at: before.at },
    patterns: patterns.map(({ name, match }) => ({
      name,
      match,
      counted: countPattern(newest.summary, match) ?? null,
    })),
  };
}

function patternsOf({ settings }: App, instance: InstanceSettings): { name: string; match: string }[] {
  return Object.entries(settings.monitor.patterns)
    .filter(([, pattern]) => pattern.instance === undefined || pattern.instance === instance.name)
    .map(([name, { match }]) => ({ name, match }));
}

async function firstReport(repository: Repository, ids: readonly string[], signal: AbortSignal) {
  for (const id of ids) {
    const summary = await quietly(() => repository.readKeyspace(id, signal));
    if (summary !== undefined) return { id, summary, at: backupIdTime(id) ?? 0 };
  }
  return undefined;
}

/** A report is not worth less for one object that cannot be read; verify says what is wrong with it. */
async function quietly<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AgentError && error.code !== 'interrupted') return undefined;
    throw error;
  }
}
