import { backupIdTime } from '../../backup/id.ts';
import { inTheClear, totalKeys, type Engine, type VerificationLevel } from '../../domain/backup.ts';
import type { DrillOutcome } from '../../domain/drill.ts';
import { AgentError, messageOf, type ErrorCode } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { infoInteger, infoKeyspace } from '../../formats/info/parse-info.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { unsettledAlerts } from '../../state/alerts/alerts.ts';
import { openFindings, type Episode } from '../../state/episodes.ts';
import { lastRun } from '../../state/runs.ts';
import { lackOfState } from '../state-room.ts';
import type { App } from '../build-app.ts';
import { interruptedRule } from '../../jobs/restore/rules.ts';
import { intoColumns, readTrend } from '../history/trend.ts';
import { channelTrouble, type ChannelTrouble } from './channel-trouble.ts';
import { lastDrill } from './last-drill.ts';
import { daemonRuns } from '../alerts/read-alerts.ts';
import { nextRuns, type NextRun } from './next-runs.ts';
import { readInterrupted } from '../../jobs/restore/watch-restores.ts';

/** Why a part cannot be shown; the others still are. */
export interface Unavailable {
  problem: string;
  code: ErrorCode;
  /** What to do. */
  hint: string | null;
}

export interface ServerStatus {
  engine: Engine;
  version: string;
  role: string;
  uptime_seconds: number;
  used_memory: number;
  /** maxmemory; null when there is none. */
  memory_limit: number | null;
  clients: number;
  keys: number;
  last_save_ok: boolean;
  aof: boolean;
}

export interface BackupsStatus {
  count: number;
  newest: { id: string; at: string; bytes: number } | null;
  /** Not encrypted, although encryption is configured. */
  unencrypted: number;
  /** The newest backup with a proof, and when it was proven. */
  proven: { id: string; level: VerificationLevel; at: string } | null;
}

export interface DrillStatus {
  outcome: DrillOutcome['outcome'];
  backup: string;
  at: string;
  summary: string;
  /** Until the data was there again; null when it was not. */
  recovery_seconds: number | null;
}

export type OpenFinding = Finding & Pick<Episode, 'first_seen' | 'last_seen'>;

export interface InstanceStatus {
  instance: string;
  server: ServerStatus | Unavailable;
  backups: BackupsStatus | Unavailable;
  /** The last rehearsal; null when there was none. */
  drill: DrillStatus | null;
  /** Does a daemon run? Else nobody does what is due. */
  daemon: boolean;
  /** When the next scheduled backup is due. */
  next: string | null;
  /** The same of every job that comes round. */
  next_runs: NextRun[];
  /** The last 24 hours, as means of equal stretches; null where nothing was seen. Empty where nothing is watched. */
  history: StatusCurve[];
  /** When it was last audited; null: never. */
  audited: string | null;
  /** Where alerts do not get through; the same for every instance. */
  channels: ChannelTrouble[];
  /** Why what happens is not remembered; null where it is. */
  state: string | null;
  findings: OpenFinding[];
}

export interface StatusCurve {
  metric: string;
  values: (number | null)[];
}

/** What `status` shows of one instance, gathered now; findings are those that the jobs have recorded, and a restore that was cut off. */
export async function readStatus(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
  stored: StoredParts = new Map(),
): Promise<InstanceStatus> {
  const [server, kept] = await Promise.all([
    orProblem(() => readServer(app, instance, signal)),
    readStored(app, instance, signal, stored),
  ]);
  signal.throwIfAborted();
  const runs = nextRuns(app, instance);
  return {
    instance: instance.name,
    server,
    backups: kept.backups,
    drill: kept.drill,
    daemon: daemonRuns(app),
    next: runs.find(({ job }) => job === 'backup')?.at ?? null,
    next_runs: runs,
    history: readCurves(app, instance),
    audited: lastAudit(app, instance),
    channels: channelTrouble(app),
    state: lackOfState(app),
    findings: [...interrupted(app, instance), ...recordedFindings(app, instance)],
  };
}

function lastAudit(app: App, { name }: InstanceSettings): string | null {
  const runs = ['audit', 'quiet-audit'].map((job) => lastRun(app.state(), name, job, 'ok')?.started_at ?? 0);
  const newest = Math.max(...runs);
  return newest === 0 ? null : new Date(newest).toISOString();
}

/** By instance what was read from the repository, which is not listed with every look of a watch. */
export type StoredParts = Map<string, Pick<InstanceStatus, 'backups' | 'drill'> & { at: number }>;

/** Milliseconds for which it holds. */
const storedFor = 5 * 60_000;

async function readStored(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
  stored: StoredParts,
): Promise<Pick<InstanceStatus, 'backups' | 'drill'>> {
  const now = app.clock.monotonic();
  const known = stored.get(instance.name);
  if (known !== undefined && now - known.at < storedFor) return known;
  const backups = await orProblem(() => readBackups(app, instance, signal));
  const parts = { backups, drill: await readDrill(app, instance, signal), at: now };
  stored.set(instance.name, parts);
  return parts;
}

const curves = ['memory_used_bytes', 'commands_total', 'clients_connected'];
const columns = 40;
const day = 86_400_000;

/** Nothing hangs on history: without it the rest is shown. */
function readCurves(app: App, { name }: InstanceSettings): StatusCurve[] {
  try {
    const until = app.clock.now();
    const window = { since: until - day, until };
    return curves.flatMap((metric) => {
      const points = readTrend(app.series(), name, metric, window);
      if (points.length === 0) return [];
      const means = intoColumns(points, { ...window, columns });
      return [{ metric, values: means.map((value) => value ?? null) }];
    });
  } catch (error) {
    app.log.warn({ instance: name, cause: messageOf(error) }, 'cannot read the history');
    return [];
  }
}

/** Without what is looked at now, and what has not been so for long enough to say that it is. */
function recordedFindings(app: App, { name }: InstanceSettings): OpenFinding[] {
  const pending = new Set(
    unsettledAlerts(app.state())
      .filter(({ instance, state }) => instance === name && state === 'pending')
      .map(({ rule, resource }) => `${rule}\0${resource}`),
  );
  return openFindings(app.state(), name).filter(
    ({ rule, resource }) => rule !== interruptedRule.id && !pending.has(`${rule}\0${resource}`),
  );
}

/** As it is now: the daemon may be down, and looks only every few minutes. */
function interrupted(app: App, instance: InstanceSettings): OpenFinding[] {
  const finding = readInterrupted({ settings: app.settings, instance });
  if (finding === undefined) return [];
  const now = app.clock.now();
  const since = Date.parse(String(finding.evidence['started_at']));
  return [{ ...finding, first_seen: Number.isNaN(since) ? now : since, last_seen: now }];
}

async function readDrill(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<DrillStatus | null> {
  const last = await lastDrill(app, instance, signal);
  if (last === undefined) return null;
  if (last.outcome === 'skipped') {
    const { outcome, backup, at, why: summary } = last;
    return { outcome, backup, at, summary, recovery_seconds: null };
  }
  const { backup, at, summary, recovery_seconds: recovery } = last.record;
  return { outcome: last.outcome, backup, at, summary, recovery_seconds: recovery };
}

async function readServer(app: App, instance: InstanceSettings, signal: AbortSignal): Promise<ServerStatus> {
  const connection = await app.connect(instance, signal);
  try {
    const info = await readInfo(connection);
    const number = (field: string): number => infoInteger(info, field) ?? 0;
    return {
      ...engineOf(info),
      role: info.get('role') === 'slave' ? 'replica' : 'master',
      uptime_seconds: number('uptime_in_seconds'),
      used_memory: number('used_memory'),
      memory_limit: number('maxmemory') === 0 ? null : number('maxmemory'),
      clients: number('connected_clients'),
      keys: totalKeys(infoKeyspace(info)),
      last_save_ok: info.get('rdb_last_bgsave_status') === 'ok',
      aof: info.get('aof_enabled') === '1',
    };
  } finally {
    connection.close();
  }
}

async function readBackups(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<BackupsStatus> {
  const repository = await app.repository(instance);
  const { backups } = await repository.list(signal);
  const complete = backups.filter((entry) => entry.state === 'complete');
  const encrypts = app.settings.repository.encryption.age_recipients.length > 0;
  const newest = complete.at(-1);
  const proven = complete.findLast(({ verifications }) => verifications.at(-1)?.ok === true);
  const proof = proven?.verifications.at(-1);
  return {
    count: complete.length,
    unencrypted: encrypts ? complete.filter(({ manifest }) => inTheClear(manifest)).length : 0,
    newest:
      newest === undefined
        ? null
        : {
            id: newest.id,
            at: new Date(backupIdTime(newest.id) ?? 0).toISOString(),
            bytes: newest.manifest.artefacts[0]?.stored.bytes ?? 0,
          },
    proven:
      proven === undefined || proof === undefined
        ? null
        : { id: proven.id, level: proof.level, at: new Date(proof.at).toISOString() },
  };
}

async function orProblem<T>(read: () => Promise<T>): Promise<T | Unavailable> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return { problem: error.message, code: error.code, hint: error.hint ?? null };
  }
}
