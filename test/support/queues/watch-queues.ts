import { onTestFinished } from 'vitest';
import type { QueueReading } from '../../../src/domain/queue.ts';
import type { Sample } from '../../../src/domain/sample.ts';
import type { QueueSettings } from '../../../src/domain/settings/queues.ts';
import { thresholdsOf, type ThresholdOverrides } from '../../../src/domain/settings/monitor.ts';
import type { Severity } from '../../../src/domain/finding.ts';
import { judgeSample } from '../../../src/monitor/evaluate/judge-sample.ts';
import type { Patterns } from '../../../src/monitor/sample-patterns.ts';
import { createPoller } from '../../../src/monitor/poll.ts';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { movingClock } from '../clocks/moving-clock.ts';
import type { TestServer } from '../servers/redis-server.ts';

export interface QueueWatch {
  /** Polls once, and judges; only what is said of queues. */
  poll(): Promise<{ queues: readonly QueueReading[]; found: string[]; summaries: string[]; sample: Sample }>;
  forward(ms: number): void;
}

/** One that is not allowed to search never ends it. */
const mostPolls = 20;

const { signal } = new AbortController();

/** The loop of the daemon, turn by turn, on a clock that a test moves on. */
export function watchQueues(
  server: TestServer,
  queues: readonly QueueSettings[] = [],
  patterns: Patterns = {},
  thresholds: ThresholdOverrides = {},
): QueueWatch {
  const clock = movingClock();
  const search = { ended: false };
  const target = { name: 'main', url: server.url };
  const poller = createPoller({
    connect: (own) => connectRedis(target, { signal: own }),
    clock,
    frugal: false,
    queues: {
      instance: 'main',
      settings: () => ({ queues, find_queues: 10_000, patterns }),
      found: [],
      onFound: () => (search.ended = true),
    },
  });
  onTestFinished(() => poller.close());
  const samples: Sample[] = [];
  let was = new Map<string, Severity>();
  return {
    forward: (ms) => clock.forward(ms),
    async poll() {
      let sample = await poller.poll(signal);
      // A search goes on poll by poll, for a hundredth of the time: on a busy host it has not ended in the first one.
      for (let more = 0; !search.ended && more < mostPolls; more += 1) sample = await poller.poll(signal);
      samples.push(sample);
      const { findings } = judgeSample({
        instance: 'main',
        role: 'queue',
        thresholds: thresholdsOf({ role: 'queue', thresholds }),
        slowCommand: 1000,
        samples: samples.filter(({ elapsed }) => elapsed >= sample.elapsed - 1_200_000),
        was: (rule, resource) => was.get(`${rule} ${resource}`),
      });
      was = new Map(findings.map(({ rule, resource, severity }) => [`${rule} ${resource}`, severity]));
      const own = findings.filter(({ rule }) => /^(?:queue|keys)-/.test(rule));
      return {
        sample,
        queues: sample.queues ?? [],
        found: own.map(({ rule, resource, severity }) => `${rule} ${resource} ${severity}`),
        summaries: own.map(({ summary }) => summary),
      };
    },
  };
}
