import { decide, type Policy } from '../../src/alert/decide.ts';
import { advance } from '../../src/alert/engine/advance.ts';
import { recordEvaluation } from '../../src/app/findings.ts';
import type { Finding } from '../../src/domain/finding.ts';
import type { Log } from '../../src/domain/log.ts';
import { alertGroups, unsettledAlerts } from '../../src/state/alerts/alerts.ts';
import { waitingFor } from '../../src/state/alerts/outbox.ts';
import { openState } from '../../src/state/db/open.ts';
import { systemClock } from '../../src/lib/time/system-clock.ts';
import { memoryLog } from '../../test/support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../test/support/house/temp-folder.ts';

/**
 * What deciding costs while ten thousand alerts are open: the state's read, the engine, the state's write.
 * node scripts/bench/alerts.ts
 */
const count = 10_000;
const rounds = 15;
const minute = 60_000;
const hour = 60 * minute;

const policy: Policy = {
  settings: {
    channels: [{ name: 'hook', type: 'exec', command: ['/bin/true'], timeout: 1000 }],
    routes: [],
    digest: null,
    links: null,
    escalation: [],
    windows: [],
    group_wait: 30_000,
    group_interval: 5 * minute,
    repeat: { critical: 4 * hour, high: 12 * hour, warning: 24 * hour },
    give_up_after: 24 * hour,
  },
  rules: new Map(),
  timezone: 'UTC',
  nextDigest: () => null,
  work: () => [],
};

const findings = Array.from({ length: count }, (_, at): Finding => ({
  instance: 'main',
  rule: 'queue-age',
  resource: `bull:queue-${at}`,
  severity: at % 10 === 0 ? 'critical' : 'warning',
  summary: `bull:queue-${at}: the oldest of 12 jobs has been due for 10m 15s`,
  remedy: `more workers, or a higher concurrency; redis-agent queues show bull:queue-${at}`,
  evidence: { kind: 'bullmq', waiting: 12, active: 0, due: 12, workers: 1, oldest_seconds: 615 },
}));

const aged = (round: number): Finding[] =>
  findings.map((finding) => ({
    ...finding,
    summary: `${finding.resource}: the oldest of 12 jobs has been due for ${10 + round}m 15s`,
    evidence: { ...finding.evidence, oldest_seconds: 615 + round * 60 },
  }));

const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};
const folder = makeTempFolder();
const state = openState(folder, { clock: systemClock, log: memoryLog() });
const start = Date.now();
const record = (now: number, found = findings): void => {
  const clock = { ...systemClock, now: () => now };
  const evaluated = [{ rules: ['queue-age'] }];
  // The log would be what is measured: ten thousand lines where all begin.
  recordEvaluation({ state, clock, log: silentLog }, { instance: 'main', evaluated, findings: found });
};

function times(what: string, work: (round: number) => void): void {
  const took = Array.from({ length: rounds }, (_, round) => {
    // Processor time, which what runs beside it changes least.
    const before = process.cpuUsage();
    work(round);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  }).toSorted((a, b) => a - b);
  const [best = 0, median = 0] = [took[0], took[Math.floor(rounds / 2)]];
  process.stdout.write(`${what.padEnd(60)}${best.toFixed(1)} ms (median ${median.toFixed(1)})\n`);
}

try {
  record(start - 6 * minute);
  record(start);
  const before = process.cpuUsage();
  decide(state, policy, start + minute);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(
    `${`${count} begin at once: decided and put into the outbox`.padEnd(60)}${((user + system) / 1000).toFixed(1)} ms\n`,
  );
  const waiting = waitingFor(state, 'hook');
  process.stdout.write(
    `${'what waits then'.padEnd(60)}${waiting.length} notice, ${waiting[0]?.notice.items.length} of them in it, ${waiting[0]?.notice.more} more\n`,
  );
  times(`${count} open, nothing new to tell: decided`, (round) =>
    decide(state, policy, start + 2 * minute + round * 15_000),
  );
  const alerts = unsettledAlerts(state);
  const situation = {
    alerts,
    groups: alertGroups(state),
    silences: [],
    windows: [],
    work: [],
    rules: policy.rules,
    timezone: 'UTC',
    channels: ['hook'],
    routes: [],
    escalation: [],
    timing: {
      wait: 30_000,
      interval: 5 * minute,
      repeat: policy.settings.repeat,
      giveUpAfter: policy.settings.give_up_after,
    },
    digest: null,
  };
  times(`${count} open: the engine alone`, (round) =>
    advance(situation, start + 2 * minute + round * 15_000),
  );
  times(`${count} open: read from the state`, () => unsettledAlerts(state));
  times(`${count} seen again by an evaluation: recorded`, (round) =>
    record(start + 10 * minute + round * 15_000),
  );
  times(`${count} seen again, each with another age: recorded`, (round) =>
    record(start + 20 * minute + round * 15_000, aged(round)),
  );
  times(`${count} repeated: decided and put into the outbox`, (round) =>
    decide(state, policy, start + (round + 1) * 25 * hour),
  );
  process.stdout.write(`resident at the end: ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB\n`);
} finally {
  state.close();
  removeTempFolder(folder);
}
