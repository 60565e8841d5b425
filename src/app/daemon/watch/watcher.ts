import { messageOf } from '../../../domain/errors.ts';
import type { Finding, Severity } from '../../../domain/finding.ts';
import type { Sample } from '../../../domain/sample.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';
import { thresholdsOf } from '../../../domain/settings/monitor.ts';
import { waiverOf } from '../../../harden/audit/waivers.ts';
import { downFor, isDown } from '../../../monitor/evaluate/rules/server-down.ts';
import { judgeSample } from '../../../monitor/evaluate/judge-sample.ts';
import { createCertificateLook } from '../../../monitor/certificate.ts';
import { createHostLook } from '../../../monitor/host.ts';
import { createPoller, type Poller } from '../../../monitor/poll.ts';
import { openFindings } from '../../../state/episodes.ts';
import { noteQueues, readQueues } from '../../../state/series/queues.ts';
import { readSlowCursor } from '../../../state/series/slow.ts';
import type { App } from '../../build-app.ts';
import { recordEvaluation } from '../../findings.ts';
import { commandsInADay, keepSample } from '../../history/keep-sample.ts';
import { Window } from './window.ts';

/** What the last cycle of an instance came to. */
export interface Cycle {
  sample: Sample;
  /** How long the poll took, seconds. */
  seconds: number;
}

/** At least this long between two polls of a server that is billed by command. */
const frugalInterval = 60_000;
/** Nothing that INFO, 128 slow commands and 5000 clients say comes near it. */
const largestReply = 8 * 2 ** 20;
const dayEvery = 5 * 60_000;

/** Watches one instance until it is stopped: polls, keeps, judges, hands on. */
export class Watcher {
  readonly instance: InstanceSettings;
  /** The running configuration: changes with a reload, while the connection stays. */
  app: App;
  last: Cycle | undefined;
  readonly #stop = new AbortController();
  readonly #window = new Window();
  readonly #poller: Poller;
  readonly #done: Promise<void>;
  /** Since when the server has not answered; what else is wrong with it can wait for the next poll. */
  #downSince: number | undefined;
  /** What fires, and when it was last seen, by rule and resource. */
  #was: Map<string, { severity: Severity; seenAt: number }> | undefined;
  #day: { at: number; commands: number | undefined } | undefined;

  constructor(app: App, instance: InstanceSettings, onCycle: (cycle: Cycle) => void) {
    this.app = app;
    this.instance = instance;
    const { clock } = app;
    const timeout = Math.min(8000, Math.max(1000, this.interval * 0.6));
    const host = createHostLook(clock, instance.url);
    const certificate = createCertificateLook(clock, {
      name: instance.name,
      url: instance.url,
      tls: instance.tls,
    });
    this.#poller = createPoller({
      connect: (signal) => this.app.connect(instance, signal, { timeout, maxReply: largestReply }),
      async look(seen) {
        await host(seen);
        await certificate(seen);
      },
      clock,
      frugal: instance.frugal === true,
      slow: this.#attempt('read the history', () => readSlowCursor(app.series(), instance.name)),
      queues: {
        instance: instance.name,
        settings: () => this.app.settings.monitor,
        found: this.#attempt('read the queues', () => readQueues(app.series(), instance.name)) ?? [],
        onFound: (found) => {
          this.#attempt('note the queues', () => noteQueues(this.app.series(), instance.name, found));
        },
      },
    });
    this.#done = this.#watch(onCycle);
  }

  get interval(): number {
    const every = this.app.settings.monitor.interval ?? frugalInterval;
    return this.instance.frugal === true ? Math.max(every, frugalInterval) : every;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    this.#poller.close();
  }

  async #watch(onCycle: (cycle: Cycle) => void): Promise<void> {
    const { signal } = this.#stop;
    const { name } = this.instance;
    try {
      // The first one soon, and not all at once.
      await this.app.clock.sleep(phaseOf(name, Math.min(1000, this.interval)), signal);
      for (;;) {
        const begun = this.app.clock.monotonic();
        const sample = await this.#poller.poll(signal);
        this.last = { sample, seconds: (this.app.clock.monotonic() - begun) / 1000 };
        this.#digest(sample);
        onCycle(this.last);
        await this.app.clock.sleep(this.#untilNext(), signal);
      }
    } catch (error) {
      if (!signal.aborted)
        this.app.log.error({ instance: name, cause: messageOf(error) }, 'watching has ended by a defect');
    }
  }

  /** Each instance has its moment within the interval, whenever the agent was started. */
  #untilNext(): number {
    const { interval } = this;
    const now = this.app.clock.now() - phaseOf(this.instance.name, interval);
    const rest = interval - (((now % interval) + interval) % interval);
    // One that was nearly met is the next one's: two polls are never close together.
    const regular = rest < interval / 4 ? rest + interval : rest;
    // Unless it is down: that it is to be told is seen when it is time, and not up to an interval later.
    const untilTold = (this.#downSince ?? -Infinity) + downFor - this.app.clock.now();
    return untilTold > 0 ? Math.min(regular, untilTold) : regular;
  }

  #digest(sample: Sample): void {
    const { name } = this.instance;
    const { app } = this;
    this.#window.add(this.#withDay(sample), this.interval);
    this.#attempt('write the history', () => keepSample(app.series(), name, sample, this.#poller.slow));
    this.#attempt('judge what was polled', () => this.#judge());
    // Read after the judging, by whose time the minute is counted.
    this.#downSince = isDown(sample.up) ? (this.#downSince ?? app.clock.now()) : undefined;
  }

  #judge(): void {
    const { app, instance } = this;
    const { name, role, thresholds } = instance;
    const { monitor } = app.settings;
    const was = (this.#was ??= new Map(
      openFindings(app.state(), name).map(({ rule, resource, severity, last_seen: seenAt }) => [
        `${rule}\0${resource}`,
        { severity, seenAt },
      ]),
    ));
    const judgement = judgeSample({
      instance: name,
      role,
      thresholds: thresholdsOf({ role, thresholds }, monitor.thresholds),
      slowCommand: monitor.slow_command,
      samples: this.#window.samples,
      was: (rule, resource) => was.get(`${rule}\0${resource}`)?.severity,
      seenAt: (rule, resource) => was.get(`${rule}\0${resource}`)?.seenAt,
    });
    const { judged, unknown } = judgement;
    const told = [...judgement.findings, ...this.#heldFindings(judgement.held)];
    const { waivers } = app.settings.audit;
    const findings = told.filter(
      (finding) => waiverOf(finding, waivers, { subject: name, now: app.clock.now() }) === undefined,
    );
    const log = app.log.child({ instance: name });
    recordEvaluation(
      { state: app.state(), clock: app.clock, log },
      { instance: name, evaluated: [{ rules: [...judged, ...unknown] }], findings, unknown },
    );
    const kept = [...was].filter(([key]) => unknown.includes(key.split('\0', 1)[0] ?? ''));
    this.#was = new Map([
      ...kept,
      ...findings.map(
        ({ rule, resource, severity }) =>
          [`${rule}\0${resource}`, { severity, seenAt: app.clock.now() }] as const,
      ),
    ]);
  }

  /** What cannot be told now, as it was told last. */
  #heldFindings(held: readonly { rule: string; resource: string }[]): Finding[] {
    const fires = held.some(({ rule, resource }) => this.#was?.has(`${rule}\0${resource}`) === true);
    if (!fires) return [];
    const { name } = this.instance;
    return openFindings(this.app.state(), name)
      .filter((open) => held.some(({ rule, resource }) => rule === open.rule && resource === open.resource))
      .map(({ rule, resource, severity, summary, remedy, evidence }) => ({
        instance: name,
        rule,
        resource,
        severity,
        summary,
        remedy,
        evidence,
      }));
  }

  /** What a day came to is in the history, and need not be asked for in every poll. */
  #withDay(sample: Sample): Sample {
    const now = this.app.clock.monotonic();
    if (this.#day === undefined || now - this.#day.at >= dayEvery) {
      const commands = this.#attempt('read the history', () =>
        commandsInADay(this.app.series(), this.instance.name, sample.at),
      );
      this.#day = { at: now, commands };
    }
    const { commands } = this.#day;
    if (commands === undefined || sample.values['uptime_seconds'] === undefined) return sample;
    return { ...sample, values: { ...sample.values, commands_day: commands } };
  }

  /** A full disk ends no watching: what cannot be written is said, and polling goes on. */
  #attempt<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.app.log.error({ instance: this.instance.name, cause: messageOf(error) }, `cannot ${what}`);
      return undefined;
    }
  }
}

/** A place of its own for every name, from 0 up to `interval`. FNV-1a. */
export function phaseOf(name: string, interval: number): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash % Math.max(1, Math.floor(interval));
}
