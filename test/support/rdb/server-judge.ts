import { connect, type Socket } from 'node:net';
import { PayloadFooter, understands, whatTargetReads } from '../../../src/formats/rdb/dump-payload.ts';
import { startServer, type ServerBuild, type TestServer } from '../servers/redis-server.ts';
import type { LoneValue } from './value-mutants.ts';

/** What a server makes of a value: its refusal, or that it ended, on loading it or on what was asked of it next. */
export type ServerVerdict = 'taken' | 'refused' | 'ended';

/** What a client may ask of a value at any time: all of it, from both ends, and a change. */
const asked: Record<string, string[][]> = {
  list: [
    ['LRANGE', 'k', '0', '-1'],
    ['LRANGE', 'k', '-3', '-1'],
    ['LPUSH', 'k', 'n'],
    ['RPOP', 'k'],
  ],
  set: [
    ['SMEMBERS', 'k'],
    ['SADD', 'k', 'new'],
    ['SREM', 'k', 'new'],
    ['SPOP', 'k'],
  ],
  zset: [
    ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
    ['ZADD', 'k', '5', 'new'],
    ['ZREVRANGE', 'k', '0', '1'],
    ['ZPOPMIN', 'k'],
  ],
  hash: [
    ['HGETALL', 'k'],
    ['HSET', 'k', 'new', 'v'],
    ['HDEL', 'k', 'new'],
    ['HGET', 'k', 'a'],
  ],
  stream: [
    ['XRANGE', 'k', '-', '+'],
    ['XREVRANGE', 'k', '+', '-', 'COUNT', '2'],
    ['XINFO', 'STREAM', 'k', 'FULL'],
    ['XADD', 'k', '18446744073709551615-18446744073709551615', 'f', 'v'],
    ['XTRIM', 'k', 'MAXLEN', '1'],
  ],
};

/** Bytes of one answer about such a value. */
const endless = 8 * 1024 * 1024;
/** Milliseconds without an answer, for values of some kilobytes. */
const circling = 1500;

const strict = { 'sanitize-dump-payload': 'yes', 'crash-memcheck-enabled': 'no' };

function resp(...args: (string | Uint8Array)[]): Buffer {
  const parts = args.flatMap((arg) => [
    Buffer.from(`$${Buffer.byteLength(arg)}\r\n`),
    Buffer.from(arg),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}

/** One server that is given many values by RESTORE, with every check that it has; started again whenever it ends. */
export class ServerJudge implements AsyncDisposable {
  readonly build: ServerBuild;
  #server: TestServer | undefined;
  readonly #footer = new PayloadFooter();

  constructor(build: ServerBuild) {
    this.build = build;
  }

  /** May it be asked about such a value at all? */
  knows({ type }: LoneValue): boolean {
    return understands(whatTargetReads(this.build.engine, this.build.version), type);
  }

  /** In the order of the values. */
  async judge(values: readonly LoneValue[]): Promise<ServerVerdict[]> {
    const all = await this.#ask(values);
    if (all !== undefined) return all;
    // A server that ends has not sent its last answers: which value it was shows only one by one.
    const verdicts: ServerVerdict[] = [];
    for (const value of values) verdicts.push(...((await this.#ask([value])) ?? ['ended']));
    return verdicts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop();
  }

  /** Undefined when the server has ended. */
  async #ask(values: readonly LoneValue[]): Promise<ServerVerdict[] | undefined> {
    this.#server ??= await startServer({
      build: this.build,
      config: Number.parseInt(this.build.version, 10) < 7 ? {} : strict,
    });
    const socket = connect(this.#server.socket);
    const commands = values.map((value) => this.#commands(value));
    const answers = await replies(socket, Buffer.concat(commands.flat()), commands.flat().length);
    socket.destroy();
    if (answers.length < commands.flat().length) {
      await this.#server.stop();
      this.#server = undefined;
      return undefined;
    }
    let at = 0;
    return commands.map((own) => {
      const answer = answers[at] ?? '';
      at += own.length;
      return answer.startsWith('+') ? 'taken' : 'refused';
    });
  }

  #commands({ type, raw }: LoneValue): Buffer[] {
    const { version } = whatTargetReads(this.build.engine, this.build.version);
    const payload = Buffer.alloc(1 + raw.length + 10);
    payload[0] = type.code;
    payload.set(raw, 1);
    this.#footer.write(payload, 0, 1 + raw.length, version);
    return [
      resp('RESTORE', 'k', '0', payload, 'REPLACE'),
      ...(asked[type.data] ?? []).map((words) => resp(...words)),
      resp('DEL', 'k'),
    ];
  }
}

/** The first bytes of each answer; fewer than asked for when the connection broke. */
async function replies(socket: Socket, bytes: Buffer, wanted: number): Promise<string[]> {
  const found: string[] = [];
  let rest: Buffer = Buffer.alloc(0);
  const done = Promise.withResolvers<undefined>();
  socket.on('close', () => done.resolve(undefined)).on('error', () => done.resolve(undefined));
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const end = endOf(rest, at);
      if (end < 0) break;
      found.push(rest.toString('latin1', at, Math.min(end, at + 60)));
      at = end;
    }
    rest = rest.subarray(at);
    if (found.length === wanted || rest.length > endless) done.resolve(undefined);
  });
  socket.write(bytes);
  // One that goes round in circles is as good as ended.
  let before = -1;
  const watch = setInterval(() => {
    if (found.length === before) done.resolve(undefined);
    before = found.length;
  }, circling);
  await done.promise;
  clearInterval(watch);
  return found;
}

/** Where the reply that begins at `from` ends; -1 when not all of it has come. */
function endOf(bytes: Buffer, from: number): number {
  let at = from;
  for (let due = 1; due > 0; due--) {
    const line = bytes.indexOf(0x0a, at);
    if (line < 0) return -1;
    const kind = bytes[at];
    const number = Number(bytes.toString('latin1', at + 1, line - 1));
    at = line + 1;
    if (kind === 0x24 && number >= 0) at += number + 2;
    else if (kind === 0x2a && number > 0) due += number;
    if (at > bytes.length) return -1;
  }
  return at;
}
