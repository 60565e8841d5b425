import type { InstanceFacts, ReportFacts } from '../../../src/report/facts.ts';
import type { Point } from '../../../src/report/document.ts';

const hour = 60 * 60 * 1000;
const day = 24 * hour;
export const reportNow = Date.parse('2026-11-29T08:00:00Z');

/** A curve of one value an hour over some days; undefined makes a gap. */
export function curve(days: number, value: (hours: number) => number | undefined): Point[] {
  return Array.from({ length: days * 24 }, (_, index): Point => [
    reportNow - days * day + index * hour,
    value(index) ?? null,
  ]);
}

/** Facts of a server that runs well, for tests to change. */
export function sampleInstance(change: Partial<InstanceFacts> = {}): InstanceFacts {
  return {
    name: 'main',
    server: {
      engine: 'redis',
      version: '8.0.6',
      role: 'master',
      uptime_seconds: 86_400 * 41,
      used_memory: 1_400_000_000,
      memory_limit: 2_147_483_648,
      clients: 23,
      keys: 1_204_311,
      last_save_ok: true,
      aof: true,
    },
    findings: [],
    episodes: [],
    history: {
      from: reportNow - 30 * day,
      lapsed: null,
      up: curve(30, () => 1),
      memory: curve(30, (h) => (h > 300 && h < 330 ? undefined : 1.1e9 + h * 4e5 + 3e7 * Math.sin(h / 4))),
      commands: curve(30, (h) => 900 + 400 * Math.sin(((h % 24) / 24) * 2 * Math.PI)),
      latencyP95: curve(30, (h) => 0.4 + 0.2 * Math.abs(Math.sin(h / 9))),
      roundTrip: curve(30, (h) => 0.9 + 0.1 * Math.abs(Math.sin(h / 5))),
      hitRate: curve(30, (h) => 94 + 3 * Math.sin(h / 30)),
      clients: curve(30, (h) => 20 + Math.round(5 * Math.abs(Math.sin(h / 12)))),
      evictions: curve(30, () => 0),
      forecast: null,
    },
    backups: [],
    keyspace: null,
    audit: null,
    tasks: [],
    slow: [],
    queues: [],
    notices: [],
    ...change,
  };
}

export function sampleFacts(...instances: InstanceFacts[]): ReportFacts {
  return {
    now: reportNow,
    since: reportNow - 30 * day,
    timezone: 'UTC',
    agentVersion: '0.1.0',
    host: 'db1.example.org',
    instances,
  };
}
