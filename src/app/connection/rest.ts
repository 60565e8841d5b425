import { randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { Progress } from '../../domain/progress.ts';
import type { Secret } from '../../domain/secret.ts';
import { latencyOf, type ConnectionReport, type ConnectionStep } from '../../redis/trial/report.ts';

/** Redis by HTTP, as Upstash documents it: a POST of one command as a JSON list, or of many to /pipeline. */
export interface RestTarget {
  url: string;
  token: Secret;
}

const timeout = 10_000;
const expiry = 60;
const bulk = 20;
/** Of a database that is billed by command: one round is six commands and a pipeline. */
const largestAnswer = 1024 * 1024;

type Command = (string | number)[];

/** The steps of the connection test that make sense by HTTP. Throws nothing but an abort. */
export async function testRest(
  target: RestTarget,
  { rounds, valueBytes }: { rounds: number; valueBytes: number },
  { clock, signal, progress }: { clock: Clock; signal: AbortSignal; progress: Progress },
): Promise<ConnectionReport> {
  const key = `redis-agent:check:${randomBytes(6).toString('hex')}:value`;
  const value = 'x'.repeat(valueBytes);
  const one = async (...command: Command): Promise<unknown> => ask(target, '', command, signal);
  const work: Record<string, () => Promise<number>> = {
    async connect() {
      expectResult('PING', await one('PING'), 'PONG');
      return 1;
    },
    async ping() {
      expectResult('PING', await one('PING'), 'PONG');
      return 1;
    },
    async 'set and get'() {
      expectResult('SET', await one('SET', key, value, 'EX', expiry), 'OK');
      expectResult('GET', await one('GET', key), value);
      return 2;
    },
    async 'time to live'() {
      const left = Number(await one('TTL', key));
      if (left < 1 || left > expiry) throw unexpected('TTL', `${left} s`);
      return 1;
    },
    async [`pipeline of ${bulk}`]() {
      const commands = Array.from({ length: bulk }, () => ['GET', key]);
      const answers = await ask(target, '/pipeline', commands, signal);
      const all: unknown[] = Array.isArray(answers) ? answers : [];
      if (all.length !== bulk) throw unexpected('the pipeline', `${all.length} answers`);
      for (const answer of all) expectResult('GET', resultOf(answer), value);
      return bulk;
    },
  };
  const done: ConnectionStep[] = [];
  for (const [name, run] of Object.entries(work)) {
    if (done.some(({ verdict }) => verdict !== 'ok')) {
      done.push({ name, verdict: 'skipped', problem: null, hint: null, latency: null });
      continue;
    }
    progress.report({ phase: name });
    done.push(await timed(name, name === 'connect' ? 1 : rounds, run, clock, signal));
  }
  if (done[0]?.verdict === 'ok') await one('DEL', key).catch(() => undefined);
  return {
    schema: 1,
    server: target.url,
    at: new Date(clock.now()).toISOString(),
    value_bytes: valueBytes,
    rounds,
    steps: done,
  };
}

async function timed(
  name: string,
  rounds: number,
  run: () => Promise<number>,
  clock: Clock,
  signal: AbortSignal,
): Promise<ConnectionStep> {
  const times: number[] = [];
  let operations = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      const start = clock.monotonic();
      operations += await run();
      times.push(clock.monotonic() - start);
    }
    return { name, verdict: 'ok', problem: null, hint: null, latency: latencyOf(times, operations) };
  } catch (error) {
    if (signal.aborted || !(error instanceof AgentError)) throw error;
    return { name, verdict: 'failed', problem: error.message, hint: error.hint ?? null, latency: null };
  }
}

/** The `result` of one command, or what /pipeline answers. The token is in a header, and in no error. */
async function ask(
  { url, token }: RestTarget,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url.replace(/\/+$/, '') + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token.reveal()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      // A redirect would take the token elsewhere.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    });
    text = (await response.text()).slice(0, largestAnswer);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(url, error);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (!response.ok) throw refused(url, response.status, errorOf(answer));
  if (answer === undefined)
    throw failure(
      url,
      'answers, but not in JSON',
      'is this the REST URL of the database (UPSTASH_REDIS_REST_URL)?',
    );
  return path === '' ? resultOf(answer) : answer;
}

function resultOf(answer: unknown): unknown {
  const said = errorOf(answer);
  if (said !== undefined) throw new AgentError('redis', `the server says ${said}`, { reason: 'reply' });
  return typeof answer === 'object' && answer !== null && 'result' in answer ? answer.result : undefined;
}

function errorOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined;
  return typeof answer.error === 'string' ? answer.error.slice(0, 200) : undefined;
}

function refused(url: string, status: number, said: string | undefined): AgentError {
  const words = said === undefined ? '' : ` (${said})`;
  if (status === 401 || status === 403)
    return failure(
      url,
      `the token is refused${words}`,
      'give the REST token of this database (UPSTASH_REDIS_REST_TOKEN) by --token-file; a read-only one may not write',
    );
  if (status === 404)
    return failure(
      url,
      `there is no database at this URL${words}`,
      'was it deleted, or is this not its UPSTASH_REDIS_REST_URL?',
    );
  if (status === 429 || /limit exceeded|max (?:daily )?requests/i.test(said ?? ''))
    return failure(
      url,
      `a limit of the plan is reached${words}`,
      'wait until it begins anew (a daily limit: midnight UTC), send fewer commands, or take a larger plan',
    );
  if (status >= 500)
    return failure(
      url,
      `the service fails with ${status}${words}`,
      'see the provider’s status page, and try again',
    );
  return failure(
    url,
    `the service answers ${status}${words}`,
    'see the provider’s documentation of its REST API',
  );
}

function unreachable(url: string, error: unknown): AgentError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = systemCode(cause) ?? '';
  if (error instanceof Error && error.name === 'TimeoutError')
    return failure(url, 'no answer in time', 'is a firewall or proxy in the way?');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return failure(
      url,
      'the host name does not resolve',
      'check --connection: a deleted database has no name any more',
    );
  if (code === 'ECONNREFUSED') return failure(url, 'connection refused', 'is this its address and port?');
  return failure(url, messageOf(cause), 'check --connection');
}

function failure(url: string, why: string, hint: string): AgentError {
  return new AgentError('redis', `cannot use ${url}: ${why}`, { hint });
}

function expectResult(command: string, got: unknown, wanted: string): void {
  if (got !== wanted) throw unexpected(command, 'another value');
}

function unexpected(command: string, got: string): AgentError {
  return new AgentError('redis', `${command} gave ${got}`, {
    hint: 'does a proxy answer in the server’s place?',
  });
}
