import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { metrics } from '../../../src/domain/metrics.ts';

const root = join(import.meta.dirname, '../../..');
const own = [
  'findings',
  'job_last_success_timestamp_seconds',
  'job_last_duration_seconds',
  'poll_timestamp_seconds',
  'poll_duration_seconds',
  'server_state',
  'alerts_firing',
  'outbox_notices',
  'outbox_oldest_timestamp_seconds',
  'channel_works',
];
const served = new Set([...metrics.map(({ name }) => `server_${name}`), ...own]);

test.for(['conf/prometheus/rules.yaml', 'conf/grafana/dashboard.json', 'docs/monitoring.md'])(
  '%s names series that are served',
  (path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const named = [...text.matchAll(/\bredis_agent_([a-z0-9_]+)/g)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !served.has(name))).toEqual([]);
  },
);
