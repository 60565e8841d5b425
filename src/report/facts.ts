import type { Finding, Severity } from '../domain/finding.ts';
import type { KeyspaceSummary } from '../domain/keyspace.ts';
import type { EvidenceLine, Task, TaskState } from '../domain/task.ts';
import type { Point } from './document.ts';

/** What a report is made of; gathered once, from the same places that the commands show. Times are milliseconds. */
export interface ReportFacts {
  now: number;
  since: number;
  /** IANA zone for the times shown. */
  timezone: string;
  agentVersion: string;
  host: string;
  instances: InstanceFacts[];
}

export interface InstanceFacts {
  name: string;
  server: ServerFacts | { problem: string; hint: string | null };
  /** Open now, worst first. */
  findings: (Finding & { first_seen: number })[];
  /** All that were open within the span; closed is null where they still are. */
  episodes: EpisodeFacts[];
  history: HistoryFacts;
  backups: BackupFacts[] | { problem: string; hint: string | null };
  /** Of the newest backup, and of the oldest in the span, to show what grew; null where there is none. */
  keyspace: {
    newest: KeyspaceSummary;
    at: number;
    before: { summary: KeyspaceSummary; at: number } | null;
    /** Keys of the application’s own that the configuration names, as that backup holds them. */
    patterns: PatternFacts[];
  } | null;
  audit: AuditFacts | null;
  tasks: TaskFacts[];
  slow: SlowFacts[];
  queues: QueueFacts[];
  /** Newest first. */
  notices: NoticeFacts[];
}

export interface ServerFacts {
  engine: string;
  version: string;
  role: string;
  uptime_seconds: number;
  used_memory: number;
  memory_limit: number | null;
  clients: number;
  keys: number;
  last_save_ok: boolean;
  aof: boolean;
}

export interface EpisodeFacts {
  rule: string;
  resource: string;
  severity: Severity;
  summary: string;
  opened: number;
  closed: number | null;
}

/** Curves by name; a name that is missing was not collected. */
export interface HistoryFacts {
  /** When watching began within the span; null: nothing was watched. */
  from: number | null;
  /** Since when it is not watched any more; null while it is. */
  lapsed: number | null;
  up: Point[];
  memory: Point[];
  commands: Point[];
  latencyP95: Point[];
  roundTrip: Point[];
  hitRate: Point[];
  clients: Point[];
  evictions: Point[];
  /** When the limit is reached at the present rate; null: there is no saying. */
  forecast: {
    limit: number;
    days: { low: number | null; middle: number | null; high: number | null };
    band: { at: number; low: number; high: number }[];
  } | null;
}

export interface BackupFacts {
  id: string;
  at: number;
  kind: string;
  keys: number | null;
  bytes: number;
  proof: { level: string; ok: boolean; at: number } | null;
  drill: { ok: boolean; at: number; recoverySeconds: number | null } | null;
}

export interface PatternFacts {
  name: string;
  match: string;
  /** null: the key report does not tell these from others. */
  counted: { keys: number; withoutTtl: number; memory: number } | null;
}

export interface AuditFacts {
  at: number;
  score: number;
  /** Share of the checks that could be judged, 0..1. */
  coverage: number;
  counts: Record<Severity, number>;
  /** Since the audit before; null: there was none. */
  before: { at: number; score: number } | null;
  worst: { rule: string; title: string; severity: Severity; remedy: string }[];
}

export interface TaskFacts {
  task: Task;
  state: TaskState;
  dueAt: number | null;
  overdueDays: number;
  last: {
    outcome: 'done' | 'skipped';
    at: number;
    by: string;
    note: string;
    evidence: readonly EvidenceLine[];
  } | null;
}

export interface SlowFacts {
  fingerprint: string;
  count: number;
  totalMs: number;
  p95Ms: number;
  worstMs: number;
}

export interface QueueFacts {
  name: string;
  kind: string;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  workers: number | null;
  oldestSeconds: number | null;
  span: QueueSpanFacts;
}

/** What a span saw of a queue; null where nobody has watched it. */
export interface QueueSpanFacts {
  waiting: Point[];
  mostWaiting: number | null;
  oldestSeconds: number | null;
  /** Estimates, as the findings’ are. */
  completed: number | null;
  failed: number | null;
  stalled: number | null;
  /** When work was due and nothing was done; closed is null where it still is so. */
  stuck: { opened: number; closed: number | null }[];
}

export interface NoticeFacts {
  at: number;
  channel: string;
  subject: string;
  outcome: string;
}
