import type { Readable, Writable } from 'node:stream';
import { systemCode } from '../../domain/errors.ts';
import { errorFrom } from './errors.ts';
import { encodeFrame, readFrames, type Frame, type FrameLimits } from './frames.ts';

/** What is asked for; `bytes` among the arguments come last, and beside the JSON. */
export interface Request {
  id: number;
  verb: string;
  args: unknown[];
}

/** `value` is left out where the answer is bytes, or nothing. */
export type Answer = { id: number; value?: unknown } | { id: number; error: unknown };

/** The other end has gone, was silent for too long, or answered what no answer of ours is. */
export class VerbsClosedError extends Error {
  override readonly name = 'VerbsClosedError';
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** Asks another process to do things, over two streams. What it answers is bounded in size and time, and not believed. */
export class VerbCaller {
  readonly #output: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #closed: VerbsClosedError | undefined;
  readonly #giveUp: () => void;

  /** `giveUp` is called once, when there is nothing more to be expected of it. */
  constructor(streams: { input: Readable; output: Writable }, limits: FrameLimits, giveUp: () => void) {
    this.#output = streams.output;
    this.#giveUp = giveUp;
    // What cannot be written is told by what is not answered.
    streams.output.on('error', () => {});
    void this.#listen(streams.input, limits);
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * The value or bytes that come back. Rejects with what was thrown there (see errorFrom), or a VerbsClosedError, also
   * when the answer takes longer than `limit` milliseconds.
   */
  async call(verb: string, args: readonly unknown[], limit: number): Promise<unknown> {
    if (this.#closed !== undefined) throw this.#closed;
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => this.#close(`no answer to ${verb} within ${limit / 1000} s`), limit);
    this.#waiting.set(id, { resolve, reject, timer });
    const final = args.at(-1);
    const bytes = final instanceof Uint8Array ? final : undefined;
    const head: Request = { id, verb, args: bytes === undefined ? [...args] : args.slice(0, -1) };
    this.#output.cork();
    for (const each of encodeFrame({ head, bytes })) this.#output.write(each);
    this.#output.uncork();
    return await promise;
  }

  async #listen(input: Readable, limits: FrameLimits): Promise<void> {
    try {
      for await (const frame of readFrames(input, limits)) this.#take(frame);
      this.#close('it has ended');
    } catch (error) {
      // So ends a socket whose other end had not read everything, or was gone before anything was written.
      if (['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')) this.#close('it has ended');
      else this.#close(error instanceof Error ? error.message : String(error));
    }
  }

  #take({ head, bytes }: Frame): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at below
    const answer = head as Partial<Answer> | null;
    const waiting = this.#waiting.get(Number(answer?.id));
    if (answer === null || waiting === undefined) throw new Error('an answer to nothing that was asked');
    this.#waiting.delete(Number(answer.id));
    clearTimeout(waiting.timer);
    if ('error' in answer) waiting.reject(errorFrom(answer.error));
    else waiting.resolve(bytes ?? ('value' in answer ? answer.value : undefined));
  }

  #close(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = new VerbsClosedError(why);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(this.#closed);
    }
    this.#waiting.clear();
    this.#giveUp();
  }
}
