import type { FileOwnership } from '../../backup/restore/file-ownership.ts';
import { AgentError } from '../../domain/errors.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { userName } from '../../lib/files/file-owner.ts';
import { VerbCaller, VerbsClosedError } from '../../lib/verbs/call.ts';
import type { HandsProcess } from './start.ts';
import { handsLimits } from './task.ts';

/** Milliseconds. Making gigabytes durable takes minutes on a slow disk, and loading them hours. */
const patience = 15 * 60_000;
const longPatience = 24 * 60 * 60_000;
const long: readonly string[] = ['load', 'check'];

/** Asks such a process for things; another one, where it was killed. */
export class AskedHands {
  readonly #user: UserId;
  readonly #start: () => Promise<HandsProcess>;
  readonly #processes: HandsProcess[] = [];
  #current: Promise<{ process: HandsProcess; caller: VerbCaller }> | undefined;
  #caller: VerbCaller | undefined;
  #entered: [dir: string, ownership: FileOwnership] | undefined;

  constructor(user: UserId, start: () => Promise<HandsProcess>) {
    this.#user = user;
    this.#start = start;
  }

  /** From then on it works there. */
  async enter(...place: [dir: string, ownership: FileOwnership]): Promise<void> {
    await this.ask('enter', place);
    this.#entered = place;
  }

  /** Rejects with what was thrown there; with an AgentError `failed` where the process is gone. */
  async ask(verb: string, args: readonly unknown[]): Promise<unknown> {
    // One that was killed takes what it was asked for with it; what is asked for next, another one does.
    if (this.#caller?.closed === true) this.#current = undefined;
    const { process, caller } = await (this.#current ??= this.#open());
    try {
      return await caller.call(verb, args, long.includes(verb) ? longPatience : patience);
    } catch (error) {
      if (!(error instanceof VerbsClosedError)) throw error;
      await process.ended();
      throw this.#gone(error, process.said());
    }
  }

  async close(): Promise<void> {
    this.#current = undefined;
    await Promise.all(
      this.#processes.splice(0).map(async ({ channel, ended }) => {
        channel.end();
        await ended();
        channel.destroy();
      }),
    );
  }

  async #open(): Promise<{ process: HandsProcess; caller: VerbCaller }> {
    const started = await this.#start();
    this.#processes.push(started);
    const { channel } = started;
    const caller = new VerbCaller({ input: channel, output: channel }, handsLimits, () => started.kill());
    this.#caller = caller;
    if (this.#entered !== undefined) await caller.call('enter', this.#entered, patience);
    return { process: started, caller };
  }

  #gone({ message }: VerbsClosedError, said: string): AgentError {
    const where = this.#entered === undefined ? '' : ` in ${this.#entered[0]}`;
    const words = said === '' ? '' : ` (${said})`;
    return new AgentError(
      'failed',
      `the process that works${where} as ${userName(this.#user.uid)} is gone: ${message}${words}`,
      {
        reason: 'hands',
        hint: 'nothing is lost: the next run ends what this one has begun, or takes it back',
      },
    );
  }
}
