import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AgentError, messageOf, type ReasonOf } from '../../domain/errors.ts';
import { CommandWriter, encodedArgument } from './command-writer.ts';
import { RenamingWriter } from './renaming-writer.ts';
import { endpoint } from '../connection/connect.ts';
import { connectError, greetingError } from '../connection/connect-error.ts';
import { PipeError, ReplyParser, type PipeReply } from './reply-parser.ts';
import { TagQueue } from './tag-queue.ts';
import { subjectOf, type RedisTarget } from '../connection/target.ts';

export interface PipeOptions {
  /** Longest silence while answers are due. Milliseconds. */
  timeout?: number;
  /** The same until the server has greeted. */
  connectTimeout?: number;
  /** Bytes of commands that are sent and not answered yet, before `ready` makes the caller wait. */
  window?: number;
  signal: AbortSignal;
  /** Gets every answer, in the order of the commands. */
  onReply(tag: number, reply: PipeReply): void;
}

/** Room for two large values, so that the server has one while the next is made. */
const defaultWindow = 16 * 1024 * 1024;
/** Loading one large value can keep a server busy for that long. */
const defaultTimeout = 60_000;
const defaultConnectTimeout = 10_000;
/** Idle for that long, a connection is used, since servers close those that are not (`timeout`: whole seconds). */
const idle = 1000;
const ping = encodedArgument('PING');
/** Answers to PING of a server that is there: what it is asked for next is answered with more. */
const usable = new Set(['NOPERM', 'MISCONF']);
const asked = -1;

interface Waiter {
  below: number;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * A connection for millions of commands. The client library makes a promise and several objects for each, which costs
 * more than the server needs to run it; here commands are written straight into blocks, and what is in flight is
 * bounded in both directions: whoever writes asks `full`, and waits for `ready`.
 *
 * An error reply is a reply. When the connection is lost, all that waits rejects with an AgentError `redis`, and
 * `answered` tells how far the server confirmed.
 */
export class Pipe {
  readonly out: CommandWriter;
  readonly target: RedisTarget;
  /** Commands that the server has answered. */
  answered = 0;
  readonly #socket: Socket;
  readonly #options: PipeOptions;
  readonly #due = new TagQueue();
  readonly #window: number;
  readonly #askers: ((reply: PipeReply) => void)[] = [];
  #waiter: Waiter | undefined;
  #connected = false;
  #greeted = false;
  /** Milliseconds in which answers were due and nothing came or went. */
  #silent = 0;
  #unsent = 0;
  #failure: { reason: unknown } | undefined;

  /** Connects and authenticates. Rejects with an AgentError `redis`, or with the signal's reason. */
  static async open(target: RedisTarget, options: PipeOptions): Promise<Pipe> {
    options.signal.throwIfAborted();
    const pipe = new Pipe(target, options);
    try {
      await pipe.#greet();
      return pipe;
    } catch (error) {
      pipe.close();
      throw error;
    }
  }

  private constructor(target: RedisTarget, options: PipeOptions) {
    this.target = target;
    this.out = target.renamed === undefined ? new CommandWriter() : new RenamingWriter(target.renamed);
    this.#options = options;
    this.#window = options.window ?? defaultWindow;
    const place = endpoint(target);
    const { tls, path, host = '', port = 0 } = place;
    const socket =
      path !== undefined
        ? connectPlain({ path })
        : tls === undefined
          ? connectPlain({ host, port })
          : connectTls({ ...tls, host, port });
    this.#socket = socket;
    const parser = new ReplyParser((reply) => this.#deliver(reply));
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => (this.#connected = true));
    socket.setNoDelay(true);
    socket.setTimeout(options.connectTimeout ?? defaultConnectTimeout);
    socket.on('data', (chunk: Buffer) => {
      this.#silent = 0;
      try {
        parser.push(chunk);
        // What the answers made the caller write is waited for as well.
        if (this.#waiter !== undefined) this.#flush(true);
      } catch (error) {
        this.#fail(this.#broken(messageOf(error), 'not-redis'));
      }
    });
    socket.on('timeout', () => this.#onSilence());
    socket.on('error', (error) => this.#fail(this.#lost(error)));
    socket.on('close', () => this.#fail(this.#lost(new Error('connection is closed'))));
    options.signal.addEventListener('abort', this.#onAbort);
  }

  /** The command in `out` is complete: its answer comes with `tag`, which is not negative. */
  commit(tag: number): void {
    this.#due.push(tag, this.out.written);
    if (this.out.hasFull) this.#flush(false);
  }

  /** Is so much in flight that `ready` should be awaited before the next command? */
  get full(): boolean {
    return this.#due.bytes >= this.#window || this.#failure !== undefined;
  }

  /** Resolves when the server has caught up with a quarter of the window. Rejects when the connection is lost. */
  async ready(): Promise<void> {
    await this.#untilBelow(0.75 * this.#window);
  }

  /** Resolves when every command has been answered. */
  async drain(): Promise<void> {
    await this.#untilBelow(1);
  }

  /** Sends one command and waits for its answer, and with it for those of all before it. */
  async ask(...args: (string | Uint8Array)[]): Promise<PipeReply> {
    const [answer = null] = await this.askAll([args]);
    return answer;
  }

  /** Sends some commands at once and waits for their answers. */
  async askAll(commands: (string | Uint8Array)[][]): Promise<PipeReply[]> {
    const answers: PipeReply[] = [];
    for (const args of commands) {
      this.#askers.push((reply) => answers.push(reply));
      const encoded = args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg));
      this.out.start(
        encoded.length,
        encoded.reduce((sum, arg) => sum + arg.length, 0),
      );
      for (const arg of encoded) this.out.argument(arg);
      this.commit(asked);
    }
    await this.drain();
    return answers;
  }

  close(): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#failure ??= { reason: this.#broken('it was closed', 'closed') };
    this.#socket.destroy();
  }

  readonly #onAbort = (): void => {
    this.#fail(this.#options.signal.reason);
  };

  async #greet(): Promise<void> {
    const { password, username } = this.target;
    if (password !== undefined) {
      const reply = await this.ask('AUTH', ...(username === undefined ? [] : [username]), password.reveal());
      // A server without any password: the credential is superfluous, not wrong.
      const open =
        reply instanceof PipeError && /without any password configured|no password is set/.test(reply.text);
      if (reply instanceof PipeError && !open)
        throw greetingError(this.target, 'AUTH', new Error(reply.text));
    }
    const reply = await this.ask('PING');
    if (reply instanceof PipeError && !usable.has(reply.code))
      throw greetingError(this.target, 'PING', new Error(reply.text));
    this.#greeted = true;
    this.#socket.setTimeout(this.#beat);
  }

  #deliver(reply: PipeReply): void {
    if (this.#due.length === 0) throw new Error('an answer that nobody asked for');
    const tag = this.#due.shift();
    this.answered++;
    if (tag === asked) this.#askers.shift()?.(reply);
    else this.#options.onReply(tag, reply);
    const waiter = this.#waiter;
    if (waiter === undefined || this.#due.bytes >= waiter.below) return;
    this.#waiter = undefined;
    waiter.resolve();
  }

  #flush(all: boolean): void {
    for (const block of this.out.take(all)) this.#socket.write(block, () => this.out.release(block));
  }

  async #untilBelow(bytes: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#flush(true);
    if (this.#due.bytes < bytes) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiter = { below: bytes, resolve, reject };
    });
  }

  get #timeout(): number {
    return this.#options.timeout ?? defaultTimeout;
  }

  get #beat(): number {
    return Math.min(idle, this.#timeout);
  }

  #onSilence(): void {
    if (!this.#greeted) {
      this.#fail(
        this.#connected
          ? greetingError(this.target, 'PING', new Error('Command timed out'))
          : connectError(this.target, Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
      );
      return;
    }
    if (this.#due.length === 0) this.#keepAlive();
    else this.#count();
    if (this.#failure !== undefined) return;
    // What fills no block waits for more of it; and whoever makes that may be slow.
    this.#flush(true);
    this.#socket.setTimeout(this.#beat);
  }

  #keepAlive(): void {
    this.#askers.push(() => {});
    this.out.start(1, ping.length);
    this.out.literal(ping);
    this.commit(asked);
  }

  #count(): void {
    const { writableLength } = this.#socket;
    if (writableLength !== this.#unsent) this.#silent = 0;
    this.#unsent = writableLength;
    this.#silent += this.#beat;
    if (this.#silent >= this.#timeout)
      this.#fail(this.#broken('the server does not answer any more', 'timeout'));
  }

  #lost(cause: Error): AgentError {
    if (!this.#greeted) return connectError(this.target, cause);
    const why = /closed|ECONNRESET|EPIPE/.test(messageOf(cause)) ? 'the server closed it' : messageOf(cause);
    return this.#broken(why, 'closed');
  }

  #broken(why: string, reason: ReasonOf<'redis'>): AgentError {
    return new AgentError('redis', `${subjectOf(this.target)}the connection broke: ${why}`, {
      reason,
      hint: 'see the server’s log: was it stopped or restarted, is it out of memory, does it limit what a client sends (client-query-buffer-limit, proto-max-bulk-len), is a firewall in the way?',
    });
  }

  #fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#socket.destroy();
    this.#waiter?.reject(reason);
    this.#waiter = undefined;
  }
}
