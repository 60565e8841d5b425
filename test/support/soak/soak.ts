import { decide, type Policy } from '../../../src/alert/decide.ts';
import type { Sent } from '../../../src/alert/channels/channel.ts';
import { Deliverer } from '../../../src/alert/deliver.ts';
import { recordEvaluation } from '../../../src/app/findings.ts';
import { Window } from '../../../src/app/daemon/watch/window.ts';
import { rulesById } from '../../../src/app/rules.ts';
import type { Notice, NoticeItem } from '../../../src/domain/alert.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import type { Severity } from '../../../src/domain/finding.ts';
import type { Sample } from '../../../src/domain/sample.ts';
import { thresholdsOf } from '../../../src/domain/settings/monitor.ts';
import { judgeSample } from '../../../src/monitor/evaluate/judge-sample.ts';
import { openState, type State } from '../../../src/state/db/open.ts';
import { openFindings } from '../../../src/state/episodes.ts';
import { memoryLog } from '../agent/memory-log.ts';
import { sampleOf } from '../monitor/samples.ts';
import { planFaults, type Fault } from './faults.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const poll = 30 * second;

/** What was told of one fault, or of nothing that was planned. */
export interface Told {
  at: number;
  instance: string;
  rule: string;
  severity: Severity;
  change: NoticeItem['change'];
  episode: number;
  key: string;
}

export interface SoakResult {
  faults: Fault[];
  told: Told[];
  /** What happened to the agent and its channel. */
  restarts: number;
  outages: number;
  clockSteps: number;
  /** Attempts that the other side did not take. */
  refused: number;
  polls: number;
}

const policy: Policy = {
  settings: {
    channels: [{ name: 'chat', type: 'exec', command: ['/bin/true'], timeout: second }],
    routes: [],
    digest: null,
    links: null,
    escalation: [],
    windows: [],
    group_wait: 30 * second,
    group_interval: 5 * minute,
    repeat: { critical: 4 * hour, high: 12 * hour, warning: day },
    give_up_after: day,
  },
  rules: rulesById,
  timezone: 'UTC',
  nextDigest: () => null,
  work: () => [],
};

/**
 * Days of three servers with faults, of an agent that is killed and started again, of a channel that takes nothing for
 * hours and of a clock that is set: the rules, the engine, the outbox and its delivery are those of the agent, the database
 * is a real one in `directory`; polls, time and the channel's other side are played. `random` gives 0 to 1.
 */
export async function soak(
  directory: string,
  { days, random }: { days: number; random: () => number },
): Promise<SoakResult> {
  const start = Date.parse('2026-11-01T00:00:00Z');
  const end = start + days * day;
  const instances = ['main', 'queue', 'cache'];
  const faults = instances.flatMap((instance) => planFaults(instance, { start, end, random }));
  const result: SoakResult = {
    faults,
    told: [],
    restarts: 0,
    outages: 0,
    clockSteps: 0,
    refused: 0,
    polls: 0,
  };
  const time = { true: start, wall: 0 };
  const clock: Clock = {
    now: () => time.true + time.wall,
    monotonic: () => time.true - start,
    sleep: async () => {},
  };
  const hold = (share: number, span: number): (() => boolean) => {
    let until = -Infinity;
    return () => {
      if (time.true < until) return true;
      if (random() < share * (poll / day)) until = time.true + random() * span;
      return time.true < until;
    };
  };
  const isDeaf = hold(1, 3 * hour);
  let deaf = false;
  const answer = (notice: Notice): Sent => {
    if (deaf) {
      result.refused += 1;
      return { ok: false, again: 'later', problem: 'it does not answer', remedy: 'wait' };
    }
    for (const { instance, rule, severity, change, episode } of notice.items)
      result.told.push({ at: time.true, instance, rule, severity, change, episode, key: notice.key });
    // Taken, and the answer is lost: it comes again under the same key.
    if (random() < 0.02) {
      result.refused += 1;
      return { ok: false, again: 'later', problem: 'the answer was lost', remedy: 'wait' };
    }
    return { ok: true, answer: 'ok' };
  };

  let agent = startAgent();
  function startAgent() {
    const log = memoryLog();
    const state = openState(directory, { clock, log });
    const windows = new Map(instances.map((name) => [name, new Window()]));
    const deliverer = new Deliverer({
      state,
      clock,
      log,
      open: async () => ({
        name: 'chat',
        description: 'chat',
        pace: 0,
        send: async (notice) => answer(notice),
        check: async () => ({ ok: true, detail: '' }),
        close() {},
      }),
      giveUpAfter: policy.settings.give_up_after,
      redact: (text) => text,
      random,
    });
    return { state, log, windows, deliverer };
  }

  for (; time.true < end; time.true += poll) {
    if (random() < 2 * (poll / day)) {
      agent.state.close();
      agent = startAgent();
      result.restarts += 1;
    }
    if (random() < 0.3 * (poll / day)) {
      time.wall = Math.round((random() - 0.5) * 20 * minute);
      result.clockSteps += 1;
    }
    const was = deaf;
    deaf = isDeaf();
    if (deaf && !was) result.outages += 1;
    for (const instance of instances) {
      const fault = faults.find(
        (each) => each.instance === instance && each.from <= time.true && time.true < each.until,
      );
      const sample = sampleOf({ ...fault?.step, at: clock.now(), elapsed: clock.monotonic() });
      look(agent.state, instance, agent.windows.get(instance)!, sample);
      result.polls += 1;
    }
    decide(agent.state, policy, clock.now());
    await new Promise<void>((resolve) => {
      agent.deliverer.start(['chat'], new AbortController().signal, resolve);
      // Nothing was due: then nobody calls back.
      const next = agent.deliverer.next(['chat']);
      if (next === null || next > clock.now()) setImmediate(resolve);
    });
  }
  agent.state.close();
  return result;

  function look(state: State, instance: string, window: Window, sample: Sample): void {
    window.add(sample, poll);
    const was = new Map(
      openFindings(state, instance).map(({ rule, resource, severity }) => [`${rule}\0${resource}`, severity]),
    );
    const { findings, judged, unknown } = judgeSample({
      instance,
      role: undefined,
      thresholds: thresholdsOf({}),
      slowCommand: 10,
      samples: window.samples,
      was: (rule, resource) => was.get(`${rule}\0${resource}`),
    });
    recordEvaluation(
      { state, clock, log: agent.log },
      { instance, evaluated: [{ rules: [...judged, ...unknown] }], findings, unknown },
    );
  }
}
