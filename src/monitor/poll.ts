import type { Clock } from '../domain/clock.ts';
import { AgentError, hasReason, messageOf } from '../domain/errors.ts';
import { upClasses, type Blind, type Sample, type UpClass } from '../domain/sample.ts';
import type { RedisConnection, Reply } from '../redis/connection/connect.ts';
import { collectors } from './collect/index.ts';
import type { Collector, Draft, Known, SlowCursor } from './collect/parts/collector.ts';
import { callsOfMakers } from './collect/queues/makers.ts';
import { unreadQueues, jobsCollector, queuesCollector, finishQueues } from './collect/queues.ts';
import { deepSlowlogCollector, needsMore, ownName, slowlogCollector } from './collect/slowlog.ts';
import { createQueueFinder, type QueueOptions } from './find-queues.ts';
import { nothingKnown } from './nothing-known.ts';
import { createKeptSampler } from './sample-kept.ts';
import { createPatternSampler } from './sample-patterns.ts';
import { classOf } from './up-class.ts';

export interface PollerOptions {
  connect(signal: AbortSignal): Promise<RedisConnection>;
  /** Adds what can be seen without asking the server; it never rejects. */
  look?(seen: Pick<Draft, 'values' | 'texts'>): Promise<void>;
  clock: Clock;
  /** Sends fewer commands, and those rarely. */
  frugal: boolean;
  /** Where the slow log was read up to before this process. */
  slow?: SlowCursor | undefined;
  queues?: QueueOptions | undefined;
}

/** Watches one server over one connection that it holds: at maxclients only those who are in are still served. */
export interface Poller {
  /** Never rejects for the server's sake: that it does not answer is what was seen. Rejects when `signal` aborts. */
  poll(signal: AbortSignal): Promise<Sample>;
  /** Where the reading of the slow log stands. */
  readonly slow: SlowCursor;
  close(): void;
}

const hour = 3_600_000;
/** After a refused credential: longer each time, since every attempt is a failed login in somebody's statistics. */
const backOff = [15_000, 30_000, 60_000, 120_000, 300_000];

export function createPoller(options: PollerOptions): Poller {
  const { clock, frugal, slow = nothingKnown.slow } = options;
  let connection: RedisConnection | undefined;
  let known: Known = { ...nothingKnown, slow };
  let last: Partial<Record<string, number>> = {};
  const blocked = new Map<string, Blind & { until: number }>();
  const finder = createQueueFinder(options.queues, clock);
  const sampler = createPatternSampler(
    options.queues?.instance ?? '',
    () => options.queues?.settings().patterns ?? {},
    clock,
  );
  const kept = createKeptSampler(clock);
  let patterns: Sample['patterns'];
  const totals = { commands: 0, failures: 0, wrongpass: 0, noperm: 0, slow: 0, lost: 0 };
  let refused: { attempts: number; until: number; up: UpClass; detail: string } | undefined;

  const sent = (count: number): void => {
    totals.commands += count;
  };
  const drop = (): void => {
    connection?.close();
    connection = undefined;
  };

  async function open(signal: AbortSignal): Promise<RedisConnection> {
    if (connection !== undefined) return connection;
    const opened = await options.connect(signal);
    // PING, and AUTH where there is a password.
    sent(opened.target.password === undefined ? 1 : 2);
    connection = opened;
    // A name for whoever looks at CLIENT LIST. It may be forbidden, and nothing hangs on it.
    if (!isBlocked('name')) {
      sent(1);
      await opened.call('CLIENT', 'SETNAME', ownName).catch((error: unknown) => block('name', error));
    }
    return opened;
  }

  function isBlocked(name: string): boolean {
    return (blocked.get(name)?.until ?? 0) > clock.monotonic();
  }

  function block(collector: string, error: unknown): void {
    if (!(error instanceof AgentError)) return;
    const reason = error.reason ?? 'reply';
    if (reason === 'noperm') totals.noperm += 1;
    if (reason !== 'noperm' && reason !== 'unknown-command' && reason !== 'reply') return;
    blocked.set(collector, { collector, reason, message: error.message, until: clock.monotonic() + hour });
  }

  const isDue = (collector: Collector): boolean => {
    const every = frugal ? collector.frugal : collector.every;
    if (every === null || isBlocked(collector.name) || collector.applies?.(known) === false) return false;
    const before = last[collector.name];
    // Polls are not to the millisecond.
    return every === 0 || before === undefined || clock.monotonic() - before >= every * 0.95;
  };

  /** Sends what is due in one write, and reads the answers. The first of the server's own words is returned. */
  async function ask(due: readonly Collector[], draft: Draft): Promise<AgentError | undefined> {
    const commands = due.map((collector) => collector.commands(known));
    const flat = commands.flat();
    draft.askedAt = clock.now();
    const replies = await (connection?.pipeline(flat) ?? Promise.resolve([]));
    sent(flat.length);
    const broken = replies.find((reply) => reply instanceof AgentError && isBroken(reply));
    if (broken !== undefined) throw broken;
    let state: AgentError | undefined;
    let at = 0;
    for (const [index, collector] of due.entries()) {
      const own = replies.slice(at, (at += commands[index]?.length ?? 0));
      const error = own.find((reply) => reply instanceof AgentError && !isAnswer(collector, reply));
      if (error instanceof AgentError) {
        block(collector.name, error);
        if (classOf(error) !== 'unreachable') state ??= error;
        continue;
      }
      last[collector.name] = clock.monotonic();
      collector.read(own.map(asReply), draft, known);
      // What INFO says of the server decides what the others make of their answers.
      if (collector.name === 'info') forgetProcess(draft);
    }
    return state;
  }

  /** Another server process has statistics of its own. */
  function forgetProcess({ known: { runId } }: Draft): void {
    if (runId === undefined || runId === known.runId) return;
    const before = known.runId;
    known = { ...known, costs: undefined, histograms: undefined };
    last = before === undefined ? last : {};
  }

  async function findQueues(opened: RedisConnection): Promise<void> {
    if (known.replica) finder.forget();
    if (frugal || known.replica || known.mode === 'sentinel' || isBlocked('queue-search')) return;
    const calls = callsOfMakers(known.costs);
    const made = calls === undefined ? undefined : `${known.runId} ${calls}`;
    await finder.look(opened, known.databases, made).then(sent, (error: unknown) => {
      block('queue-search', error);
      if (!(error instanceof AgentError) || isBroken(error)) throw error;
    });
    if (isBlocked('patterns')) return;
    try {
      const { sent: count, readings } = await sampler.look(opened);
      sent(count);
      patterns = readings ?? patterns;
    } catch (error) {
      block('patterns', error);
      if (!(error instanceof AgentError) || isBroken(error)) throw error;
    }
  }

  async function askQueues(draft: Draft): Promise<void> {
    if (queuesCollector.applies?.(known) === false) draft.queues = [];
    const more = jobsCollector(draft);
    if (more !== undefined && !isBlocked(more.name)) await ask([more], draft);
    if (draft.rawQueues !== undefined && draft.queues === undefined) finishQueues(draft, known, new Map());
    if (draft.queues === undefined || connection === undefined) return;
    if (!frugal && !isBlocked('queue-kept'))
      await kept.look(connection, draft.queues).then(sent, (error: unknown) => {
        block('queue-kept', error);
        if (!(error instanceof AgentError) || isBroken(error)) throw error;
      });
    draft.queues = draft.queues.map((queue) => ({ ...queue, keptBytes: kept.of(queue.label) ?? null }));
  }

  async function attempt(signal: AbortSignal, draft: Draft): Promise<{ up: UpClass; detail?: string }> {
    try {
      const opened = await open(signal);
      refused = undefined;
      let state: AgentError | undefined;
      if (!frugal) {
        const before = clock.monotonic();
        sent(1);
        state = await opened.call('PING').then(
          () => undefined,
          (error: unknown) => asState(error),
        );
        draft.values['round_trip_seconds'] = (clock.monotonic() - before) / 1000;
      }
      if (state === undefined || upClasses[classOf(state)].answers)
        state = (await ask(collectors.filter(isDue), draft)) ?? state;
      if (needsMore(draft) && !isBlocked(slowlogCollector.name)) await ask([deepSlowlogCollector], draft);
      await askQueues(draft);
      if (draft.known.runId !== undefined) {
        known = { ...known, ...draft.known };
        await findQueues(opened);
        await options.look?.(draft);
      }
      if (draft.texts['loading'] === '1') return { up: 'loading', detail: describeLoading(draft) };
      return state === undefined ? { up: 'up' } : { up: classOf(state), detail: state.message };
    } catch (error) {
      signal.throwIfAborted();
      // It may have been a job of many megabytes: then the next poll reads none.
      if (connection !== undefined && known.queues.refs.some(({ prefix }) => prefix === ''))
        known = { ...known, queues: { ...known.queues, blindUntil: clock.now() + hour } };
      drop();
      return failed(error);
    }
  }

  function failed(error: unknown): { up: UpClass; detail: string } {
    const up = classOf(error);
    totals.failures += 1;
    const detail = messageOf(error);
    if (up !== 'noauth') return { up, detail };
    if (hasReason(error, 'wrongpass')) totals.wrongpass += 1;
    const attempts = (refused?.attempts ?? 0) + 1;
    const wait = backOff[Math.min(attempts, backOff.length) - 1] ?? 0;
    refused = { attempts, until: clock.monotonic() + wait, up, detail };
    return { up, detail };
  }

  return {
    get slow() {
      return known.slow;
    },
    async poll(signal) {
      signal.throwIfAborted();
      const [at, elapsed] = [clock.now(), clock.monotonic()];
      known = { ...known, queues: { ...known.queues, refs: finder.refs(), now: at } };
      const draft: Draft = { askedAt: at, values: {}, texts: {}, known: {} };
      const held = connection === undefined && refused !== undefined && refused.until > elapsed;
      const seen = held && refused !== undefined ? refused : await attempt(signal, draft);
      known = { ...known, ...draft.known };
      const { values, texts, slow: log, clients, commands, latency, queues } = draft;
      values['up'] = upClasses[seen.up].answers && seen.up !== 'loading' ? 1 : 0;
      if (log !== undefined && !log.first) {
        totals.slow += log.entries.length;
        totals.lost += log.lost;
      }
      values['slow_commands_total'] = totals.slow;
      values['slow_commands_lost_total'] = totals.lost;
      values['own_commands_total'] = totals.commands;
      values['own_connect_failures_total'] = totals.failures;
      values['own_auth_failures_total'] = totals.wrongpass;
      values['own_noperm_errors_total'] = totals.noperm;
      const blind = [...blocked.values()]
        .filter(({ collector, until }) => collector !== 'name' && until > elapsed)
        .map(({ collector, reason, message }) => ({ collector, reason, message }));
      blind.push(...unreadQueues(known.queues));
      return {
        at,
        elapsed,
        up: seen.up,
        detail: seen.detail,
        runId: draft.known.runId,
        values,
        texts,
        slow: log,
        clients,
        commands,
        latency,
        queues,
        patterns,
        blind,
      };
    },
    close: drop,
  };
}

const isAnswer = ({ answers }: Collector, error: AgentError): boolean =>
  answers?.test(error.message) === true;
const asReply = (reply: Reply | AgentError): Reply => (reply instanceof AgentError ? reply.message : reply);

const isBroken = ({ reason }: AgentError): boolean => reason === 'closed' || reason === 'timeout';

/** An error reply says how the server is; a broken connection is thrown on. */
function asState(error: unknown): AgentError | undefined {
  if (!(error instanceof AgentError) || isBroken(error)) throw error;
  // PING may be forbidden to this user: it has answered all the same.
  return error.reason === 'noperm' || error.reason === 'unknown-command' ? undefined : error;
}

function describeLoading({ values }: Draft): string {
  const percent = Math.round((values['loading_ratio'] ?? 0) * 100);
  const eta = values['loading_eta_seconds'];
  return `${percent} % loaded${eta === undefined ? '' : `, about ${Math.round(eta)} s to go`}`;
}
