import type { Severity } from '../../../src/domain/finding.ts';
import type { Sample, SlowCommand, UpClass } from '../../../src/domain/sample.ts';
import { thresholdsOf, type Role, type ThresholdOverrides } from '../../../src/domain/settings/monitor.ts';
import { judgeSample, type Judgement } from '../../../src/monitor/evaluate/judge-sample.ts';
import type { View } from '../../../src/monitor/evaluate/view.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const interval = 15_000;
export const runId = 'a'.repeat(40);

/** What a healthy, quiet server gives. */
export const healthy: Readonly<Record<string, number>> = {
  up: 1,
  uptime_seconds: 86_400,
  round_trip_seconds: 0.0004,
  clients_connected: 6,
  clients_max: 10_000,
  clients_blocked: 0,
  connections_rejected_total: 0,
  auth_failures_total: 0,
  auth_denials_day: 0,
  noperm_errors_total: 0,
  oom_errors_total: 0,
  unexpected_errors_total: 0,
  commands_total: 1000,
  cpu_main_thread_seconds_total: 100,
  keyspace_hits_total: 0,
  keyspace_misses_total: 0,
  evicted_keys_total: 0,
  memory_used_bytes: 100 * 2 ** 20,
  memory_max_bytes: 2 ** 30,
  memory_limit_bytes: 2 ** 30,
  memory_allocated_bytes: 100 * 2 ** 20,
  memory_fragmentation_ratio: 1.05,
  memory_fragmentation_bytes: 5 * 2 ** 20,
  save_last_ok: 1,
  save_in_progress: 0,
  save_current_seconds: -1,
  save_current_keys: 0,
  save_last_duration_seconds: 1,
  changes_since_save: 10,
  fork_seconds: 0.002,
  aof_enabled: 0,
  aof_last_write_ok: 1,
  aof_last_rewrite_ok: 1,
  aof_rewrites_total: 0,
  master: 1,
  replicas_connected: 0,
  clock_skew_seconds: 0.01,
  slowlog_threshold_seconds: 0.01,
  own_commands_total: 0,
  own_auth_failures_total: 0,
};

export interface Step extends Partial<Omit<Sample, 'values' | 'texts'>> {
  values?: Record<string, number | undefined>;
  texts?: Record<string, string>;
}

/** What one poll gave: a healthy server's values but for those of the step. */
export function sampleOf(step: Step & { at: number; elapsed: number }): Sample {
  const up: UpClass = step.up ?? 'up';
  const values = { ...healthy, ...step.values };
  const known = Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return {
    runId,
    slow: { entries: [], first: false, lost: 0, reset: false },
    blind: [],
    queues: [],
    patterns: [],
    ...step,
    up,
    values: up === 'up' || up === 'misconf' ? Object.fromEntries(known) : { up: 0 },
    texts: {
      mode: 'standalone',
      role: 'master',
      maxmemory_policy: 'noeviction',
      limit_source: 'maxmemory',
      certificate_served: '',
      ...step.texts,
    },
  };
}

/** Polls one interval apart; values go on from step to step. */
function samplesOf(steps: readonly Step[], every = interval): Sample[] {
  let values: Record<string, number | undefined> = {};
  return steps.map((step, index) => {
    values = { ...values, ...step.values };
    return sampleOf({ at: start + index * every, elapsed: index * every, ...step, values });
  });
}

/** The same step so many times. */
export const times = (count: number, step: Step | ((index: number) => Step) = {}): Step[] =>
  Array.from({ length: count }, (_, index) => (typeof step === 'function' ? step(index) : step));

export interface Circumstances {
  role?: Role;
  thresholds?: ThresholdOverrides;
  was?: Record<string, Severity>;
  every?: number;
}

function viewOf(steps: readonly Step[], { role, thresholds, was = {}, every }: Circumstances = {}): View {
  return {
    instance: 'main',
    role,
    thresholds: thresholdsOf({ role, thresholds }),
    slowCommand: 10,
    samples: samplesOf(steps, every),
    was: (rule) => was[rule],
    seenAt: (rule) => (was[rule] === undefined ? undefined : start),
  };
}

export const judge = (steps: readonly Step[], circumstances?: Circumstances): Judgement =>
  judgeSample(viewOf(steps, circumstances));

/** `rule severity` of what was found. */
export const found = ({ findings }: Judgement): string[] =>
  findings.map(({ rule, severity }) => `${rule} ${severity}`);

export const slow = (id: number, ms: number, fingerprint = 'SORT list'): SlowCommand => ({
  id,
  at: start / 1000,
  micros: ms * 1000,
  fingerprint,
  shape: fingerprint,
  client: 'web',
});

/** The steps of a simulated day, judged one after the other as the watch loop does. */
export function playOut(steps: readonly Step[], circumstances: Circumstances = {}): Judgement[] {
  const samples = samplesOf(steps, circumstances.every);
  let was = { ...circumstances.was };
  return samples.map((sample, index) => {
    const window = samples.slice(0, index + 1).filter(({ elapsed }) => elapsed >= sample.elapsed - 1_200_000);
    const view = { ...viewOf([{}], { ...circumstances, was }), samples: window };
    const judgement = judgeSample(view);
    const kept = Object.entries(was).filter(([rule]) => judgement.unknown.includes(rule));
    was = {
      ...Object.fromEntries(kept),
      ...Object.fromEntries(judgement.findings.map(({ rule, severity }) => [rule, severity])),
    };
    return judgement;
  });
}
