import type { Notice, ReportNotice } from '../domain/alert.ts';
import type { Clock } from '../domain/clock.ts';
import { messageOf } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import { rememberReference, threadReference } from '../state/alerts/alerts.ts';
import { channelFails, channelWorks } from '../state/alerts/channels.ts';
import { finish, outboxDepth, postpone, waitingFor, type OutboxRow } from '../state/alerts/outbox.ts';
import { filesOf } from '../state/alerts/files.ts';
import type { State } from '../state/db/open.ts';
import { inTransaction } from '../state/db/transaction.ts';
import type { Channel, Sent } from './channels/channel.ts';
import { mergeNotices } from './engine/merge.ts';

export interface DelivererOptions {
  state: State;
  clock: Clock;
  log: Log;
  /** Opens a channel; asked again after it could not be. */
  open(name: string): Promise<Channel>;
  /** What could not be sent for this long is given up, milliseconds. */
  giveUpAfter: number;
  /** Takes secrets out of what people are told. */
  redact(this: void, text: string): string;
  /** From 0 to 1, for back-off. */
  random(): number;
}

const second = 1000;
/** The first pause after a failure doubles with each further one, up to the longest. */
const firstPause = 5 * second;
const longestPause = 10 * 60 * second;
/** A channel that said that trying again is of no use is asked once in a while all the same. */
const neverPause = 60 * 60 * second;

/**
 * Sends what the outbox holds, each channel by itself: at least once, in order, one message at a time. What waits about
 * one instance goes out as one message.
 */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #working = new Map<string, Promise<void>>();

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  /** Starts on whatever is due; `ended` is called whenever one channel has nothing more to do for now. */
  start(names: readonly string[], signal: AbortSignal, ended: () => void): void {
    const now = this.#options.clock.now();
    for (const { channel, next } of outboxDepth(this.#options.state)) {
      if (next > now || this.#working.has(channel) || !names.includes(channel)) continue;
      const work = this.#drain(channel, signal)
        .catch((error: unknown) =>
          this.#options.log.error({ channel, cause: messageOf(error) }, 'cannot deliver'),
        )
        .finally(() => {
          this.#working.delete(channel);
          ended();
        });
      this.#working.set(channel, work);
    }
  }

  /** When there is something to do next, milliseconds since the epoch; null when nothing waits. */
  next(names: readonly string[]): number | null {
    const times = outboxDepth(this.#options.state)
      .filter(({ channel }) => names.includes(channel) && !this.#working.has(channel))
      .map(({ next }) => next);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    await Promise.all(this.#working.values());
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  async #drain(name: string, signal: AbortSignal): Promise<void> {
    const { state, clock } = this.#options;
    while (!signal.aborted) {
      this.#giveUpStale(name);
      const waiting = waitingFor(state, name);
      const [head] = waiting;
      if (head === undefined || head.next_at > clock.now()) return;
      const rows = waiting.filter((row) => isMerged(row, head));
      const pause = await this.#sendOne(name, rows, signal);
      if (pause > 0) await clock.sleep(pause, signal).catch(() => {});
    }
  }

  /** Returns how long to wait before the next message, milliseconds. */
  async #sendOne(name: string, rows: OutboxRow[], signal: AbortSignal): Promise<number> {
    const { state, clock, log, redact } = this.#options;
    const merged = mergeNotices(rows.map(({ notice }) => notice));
    if (merged === undefined) return 0;
    const ids = rows.map(({ id }) => id);
    const notice = withoutSecrets(merged, redact);
    let pace = 0;
    let sent: Sent;
    try {
      const channel = await this.#channel(name);
      pace = channel.pace;
      const files = notice.kind === 'report' ? filesOf(state, notice.thread) : [];
      const reference = threadReference(state, name, notice.thread);
      sent = await channel.send(notice, { signal, reference, files });
    } catch (error) {
      sent = {
        ok: false,
        again: 'later',
        problem: messageOf(error),
        remedy: 'correct the channel’s settings',
      };
    }
    // Cut short by the agent's own end: nobody knows how it went, so it is sent again with the same key.
    if (!sent.ok && signal.aborted) return 0;
    const now = clock.now();
    if (sent.ok) {
      const { answer, reference } = sent;
      inTransaction(state, () => {
        finish(state, ids, { outcome: 'sent', at: now, answer: redact(answer) });
        channelWorks(state, name, now);
        if (reference !== undefined) rememberReference(state, name, notice.thread, reference);
      });
      log.info({ channel: name, key: notice.key, notices: rows.length }, 'alert sent');
      return pace;
    }
    const [problem, remedy] = [redact(sent.problem), redact(sent.remedy)];
    const pause = this.#pause(sent, Math.max(...rows.map(({ attempts }) => attempts)));
    const next = Math.round(now + pause);
    inTransaction(state, () => {
      channelFails(state, name, { now, disabled: sent.again !== 'later', problem, remedy });
      if (sent.again === 'refused') finish(state, ids, { outcome: 'given-up', at: now, answer: problem });
      else postpone(state, ids, { next, answer: problem });
    });
    log.warn({ channel: name, key: notice.key, again: sent.again, problem, remedy }, 'alert not sent');
    return pace;
  }

  #pause(failure: Extract<Sent, { ok: false }>, attempts: number): number {
    if (failure.again === 'never') return neverPause;
    const pause = Math.min(longestPause, firstPause * 2 ** Math.min(attempts, 20));
    // Never sooner than asked for: spread upwards.
    return Math.max(failure.after ?? 0, pause * 0.75) + this.#options.random() * pause * 0.5;
  }

  #giveUpStale(name: string): void {
    const { state, clock, log, giveUpAfter } = this.#options;
    const now = clock.now();
    const stale = waitingFor(state, name).filter((row) => now - row.created_at > giveUpAfter);
    if (stale.length === 0) return;
    const ids = stale.map(({ id }) => id);
    inTransaction(state, () =>
      finish(state, ids, { outcome: 'given-up', at: now, answer: stale[0]?.answer ?? '' }),
    );
    log.error({ channel: name, notices: stale.length }, 'alerts given up: they could not be sent in time');
  }

  async #channel(name: string): Promise<Channel> {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const opened = await this.#options.open(name);
    this.#channels.set(name, opened);
    return opened;
  }
}

/** Is it told together with the first? */
function isMerged({ id, notice }: OutboxRow, head: OutboxRow): boolean {
  if (id === head.id) return true;
  return (
    notice.kind === 'alerts' && head.notice.kind === 'alerts' && notice.instance === head.notice.instance
  );
}

/** Findings quote what servers and programs say, and that may be anything. */
function withoutSecrets(notice: Notice, redact: (text: string) => string): Notice {
  const { report } = notice;
  return {
    ...notice,
    ...(report !== undefined && { report: redactReport(report, redact) }),
    items: notice.items.map((item) => ({
      ...item,
      resource: redact(item.resource),
      summary: redact(item.summary),
      remedy: redact(item.remedy),
      evidence: Object.fromEntries(
        Object.entries(item.evidence).map(([key, value]) => [
          key,
          typeof value === 'string' ? redact(value) : value,
        ]),
      ),
    })),
  };
}

/** Its files were made without any. */
function redactReport(report: ReportNotice, redact: (text: string) => string): ReportNotice {
  return {
    ...report,
    points: report.points.map(({ text, advice }) => ({
      text: redact(text),
      advice: advice === null ? null : redact(advice),
    })),
  };
}
