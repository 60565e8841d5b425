import { Counter, Gauge, Registry } from 'prom-client';
import { severities } from '../../domain/finding.ts';
import { metrics } from '../../domain/metrics.ts';
import { queueMetrics, queueRows } from '../../domain/queue.ts';
import { upClasses } from '../../domain/sample.ts';
import { jobs } from '../../jobs/index.ts';
import { tellable } from '../../alert/decide.ts';
import { unsettledAlerts } from '../../state/alerts/alerts.ts';
import { channelHealth } from '../../state/alerts/channels.ts';
import { outboxDepth } from '../../state/alerts/outbox.ts';
import { openFindings } from '../../state/episodes.ts';
import { agentItself } from '../alerts/channel-findings.ts';
import { lastRun } from '../../state/runs.ts';
import type { App } from '../build-app.ts';
import type { Watch } from './watch.ts';

export const contentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** All that is known now, in Prometheus' text format: what the last poll of each instance saw, findings and jobs. */
export async function metricsPage(app: App, watch: Watch): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const cycles = watch.cycles();
  for (const { name, kind, help } of metrics) {
    const made =
      kind === 'counter'
        ? new Counter({ name: `redis_agent_server_${name}`, help, labelNames: ['instance'], registers })
        : new Gauge({ name: `redis_agent_server_${name}`, help, labelNames: ['instance'], registers });
    for (const [instance, cycle] of cycles) {
      const value = cycle?.sample.values[name];
      if (value !== undefined) made.inc({ instance }, value);
    }
  }
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
  ): Gauge<Label | 'instance'> =>
    new Gauge({ name: `redis_agent_${name}`, help, labelNames: ['instance', ...labelNames], registers });

  const state = gauge('server_state', 'How the server answered: 1 for the state that it is in.', ['state']);
  const polled = gauge('poll_timestamp_seconds', 'When the server was last polled.', []);
  const took = gauge('poll_duration_seconds', 'How long that took.', []);
  for (const [instance, cycle] of cycles) {
    if (cycle === undefined) continue;
    for (const each of Object.keys(upClasses))
      state.set({ instance, state: each }, cycle.sample.up === each ? 1 : 0);
    polled.set({ instance }, cycle.sample.at / 1000);
    took.set({ instance }, cycle.seconds);
  }
  addQueues(registers, cycles);
  const open = gauge('findings', 'Findings that are open, by severity.', ['severity']);
  const success = gauge('job_last_success_timestamp_seconds', 'When a job last succeeded.', ['job']);
  const duration = gauge('job_last_duration_seconds', 'How long that run took.', ['job']);
  for (const { name: instance } of app.settings.instances) {
    const found = openFindings(app.state(), instance);
    for (const severity of severities)
      open.set({ instance, severity }, found.filter((finding) => finding.severity === severity).length);
    for (const { name: job } of jobs) {
      const run = lastRun(app.state(), instance, job, 'ok');
      if (run?.finished_at === undefined || run.finished_at === null) continue;
      success.set({ instance, job }, run.finished_at / 1000);
      duration.set({ instance, job }, (run.finished_at - run.started_at) / 1000);
    }
  }
  addAlerts(app, registers);
  return await registry.metrics();
}

function addQueues(registers: Registry[], cycles: ReturnType<Watch['cycles']>): void {
  const rows = [...cycles].flatMap(([instance, cycle]) =>
    queueRows(cycle?.sample.queues ?? [], cycle?.sample.at ?? 0).map((row) => ({ instance, ...row })),
  );
  for (const { name, kind, help } of queueMetrics) {
    const labelNames = ['instance', 'queue'];
    const options = { name: `redis_agent_${name}`, help, labelNames, registers };
    const made = kind === 'counter' ? new Counter(options) : new Gauge(options);
    for (const { instance, label, values } of rows) {
      const value = values[name];
      if (value !== undefined) made.inc({ instance, queue: label }, value);
    }
  }
}

/** What fires, and whether people hear of it. */
function addAlerts(app: App, registers: Registry[]): void {
  const make = <Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: `redis_agent_${name}`, help, labelNames, registers });
  const firing = make('alerts_firing', 'Alerts that fire, by severity.', ['instance', 'severity']);
  const open = unsettledAlerts(app.state()).filter(
    ({ state }) => state === 'firing' || state === 'recovering',
  );
  for (const instance of [...app.settings.instances.map(({ name }) => name), agentItself])
    for (const severity of severities)
      firing.set(
        { instance, severity },
        open.filter((alert) => alert.instance === instance && alert.severity === severity).length,
      );
  const waiting = make('outbox_notices', 'Notices that wait to be sent.', ['channel']);
  const oldest = make('outbox_oldest_timestamp_seconds', 'Since when the oldest of them waits.', ['channel']);
  const works = make('channel_works', 'Whether the last notice to a channel got through.', ['channel']);
  const depth = new Map(outboxDepth(app.state()).map((each) => [each.channel, each]));
  const health = new Map(channelHealth(app.state()).map((each) => [each.name, each]));
  for (const channel of tellable(app.settings.alerts)) {
    const row = depth.get(channel);
    waiting.set({ channel }, row?.waiting ?? 0);
    if (row !== undefined) oldest.set({ channel }, row.oldest / 1000);
    works.set({ channel }, (health.get(channel)?.failing_since ?? null) === null ? 1 : 0);
  }
}
