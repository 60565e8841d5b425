import type { RdbRecord, TokenSink } from '../../formats/rdb/rdb-handler.ts';
import { keySlot, slotTag } from '../../formats/cluster/key-slot.ts';
import { ValueDecoder } from '../../formats/rdb/value-decoder.ts';
import { encodedArgument, type CommandWriter } from '../../redis/pipe/command-writer.ts';
import type { Pipe } from '../../redis/pipe/pipe.ts';
import { PipeError, type PipeReply } from '../../redis/pipe/reply-parser.ts';
import { kind, kindOf, recordOf, refusalOf, tagOf } from './answer-kinds.ts';
import { isElsewhere, slotMoves } from './moved-keys.ts';
import { send, type ValueChannel } from './value-channel.ts';
import { ValueCommands } from './value-commands.ts';
import type { TimesToLive } from './times-to-live.ts';
import type { KeyWriterOptions } from './writer-options.ts';

/** What is never finished, since we were killed, goes by itself after a day, or with the next run. */
const abandonedAfter = 24 * 60 * 60 * 1000;
/** The target's clock may be that far from ours. */
const clocksDiffer = 60 * 1000;
/** What has a time to live, as everything has that is being built, is what such servers evict first. */
const vanished = 'it vanished while it was built: the server evicts keys (maxmemory), or somebody removed it';

const words = {
  unlink: [encodedArgument('UNLINK')],
  pexpire: [encodedArgument('PEXPIRE')],
  pexpireat: [encodedArgument('PEXPIREAT')],
  persist: [encodedArgument('PERSIST')],
  rename: [encodedArgument('RENAME')],
  renamenx: [encodedArgument('RENAMENX')],
};

/** Whoever writes the other keys, and counts. */
export interface BuilderHost {
  readonly pipe: Pipe;
  readonly options: Pick<
    KeyWriterOptions,
    'target' | 'existing' | 'tally' | 'doubtfulTo' | 'temporary' | 'ttl' | 'node'
  >;
  readonly failure: unknown;
  readonly now: number;
  selectFor(database: number): void;
  exists(index: number, key: Uint8Array): void;
  /** The node has its slot no more: false where no other reading is to follow. */
  elsewhere(index: number, reply: PipeError): boolean;
  /** True when the answer ends all writing. */
  stopOn(reply: PipeReply): boolean;
}

/** A value that is being built, until its key has its name. */
interface Built {
  index: number;
  database: number;
  key: Uint8Array;
  temporary: Uint8Array;
  bytes: number;
  expiresAt: number;
  expires: boolean;
  problem: string | undefined;
  /** The answer that says so where its slot is another node's by now. */
  moved: PipeError | undefined;
}

/**
 * Builds values by plain commands under a temporary name, and renames a key when the server has confirmed every part of
 * it: nobody ever sees half a value, and a value that fails leaves the old one alone.
 */
export class ValueBuilder implements ValueChannel {
  readonly decoder: TokenSink;
  readonly #host: BuilderHost;
  readonly #suffix: Uint8Array;
  readonly #open = new Map<number, Built>();
  #built: Built | undefined;
  /** What the commands that are sent belong to. */
  #kind: number = kind.part;

  constructor(host: BuilderHost) {
    this.#host = host;
    this.#suffix = Buffer.from(host.options.temporary.at(-1) ?? '');
    this.decoder = new ValueDecoder(new ValueCommands(this, host.options.target));
  }

  get out(): CommandWriter {
    return this.#host.pipe.out;
  }

  get now(): number {
    return this.#host.now;
  }

  get ttl(): TimesToLive {
    return this.#host.options.ttl;
  }

  get key(): Uint8Array {
    return this.#current.temporary;
  }

  prepare(): void {
    this.#host.selectFor(this.#current.database);
  }

  commit(): void {
    const built = this.#current;
    this.#host.pipe.commit(tagOf(built.index, this.#kind));
    if (this.#kind !== kind.part || built.expires) return;
    built.expires = true;
    send(this, words.pexpire, abandonedAfter);
  }

  fail(reason: string): void {
    this.#current.problem ??= reason;
  }

  begin({ index, database, bytes, keyFrom, keyTo, expiresAt }: RdbRecord): void {
    const key = Uint8Array.from(bytes.subarray(keyFrom, keyTo));
    const temporary = this.#temporaryOf(key, this.#suffix);
    const fresh = { bytes: 0, expires: false, problem: undefined, moved: undefined };
    const built = { index, database, key, temporary, expiresAt, ...fresh };
    this.#open.set(index, built);
    this.#built = built;
  }

  end({ expiresAt }: RdbRecord, nothing: boolean): void {
    const built = this.#current;
    if (nothing) this.#drop(built);
    else {
      this.#send(built, expiresAt < 0 ? kind.last : kind.kept, words.persist);
      if (expiresAt >= 0) this.#send(built, kind.last, words.pexpireat, expiresAt);
    }
    this.#clearAbandoned(built);
  }

  /** The record is complete, and with it the size of what was built last. */
  measure({ index, valueBytes }: RdbRecord): void {
    if (this.#built?.index === index) this.#built.bytes = valueBytes;
  }

  /** Gets the answers to what building has sent. */
  answer(tag: number, reply: PipeReply): void {
    const built = this.#open.get(recordOf(tag));
    if (built === undefined || this.#host.failure !== undefined || this.#host.stopOn(reply)) return;
    const of = kindOf(tag);
    if (of === kind.publish) this.#published(built, reply);
    else if (of !== kind.aside && this.#isMoved(reply)) built.moved ??= reply;
    else if (reply instanceof PipeError && of !== kind.aside) built.problem ??= refusalOf(reply);
    // It has had a time to live since its first part: one without was made anew by a later part.
    else if ((of === kind.kept || of === kind.last) && reply !== 1) built.problem ??= vanished;
    if (of === kind.last) this.#publish(built);
  }

  /** What was built of it goes. Undefined where none of it was. */
  giveUp(index: number): { database: number; key: Uint8Array } | undefined {
    const built = this.#open.get(index);
    if (built === undefined) return undefined;
    this.#send(built, kind.aside, words.unlink);
    this.#open.delete(index);
    return built;
  }

  /** Nothing more is written: sends what removes the values that are not finished. */
  abandon(): void {
    for (const built of this.#open.values()) this.#send(built, kind.aside, words.unlink);
  }

  get #current(): Built {
    if (this.#built === undefined) throw new Error('no value is being built');
    return this.#built;
  }

  /** A run that was killed in the middle of this value has left what it had built. */
  #clearAbandoned(built: Built): void {
    const { doubtfulTo, temporary, node } = this.#host.options;
    if (built.index >= doubtfulTo && node === undefined) return;
    for (const suffix of temporary.slice(0, -1)) {
      const left = { ...built, temporary: this.#temporaryOf(built.key, Buffer.from(suffix)) };
      this.#send(left, kind.aside, words.unlink);
    }
  }

  #publish(built: Built): void {
    if (built.problem !== undefined || built.moved !== undefined) {
      this.#send(built, kind.aside, words.unlink);
      this.#drop(built);
      return;
    }
    const replaces = this.#host.options.existing === 'replace';
    this.#send(built, kind.publish, replaces ? words.rename : words.renamenx, built.key);
  }

  #published(built: Built, reply: PipeReply): void {
    const { tally } = this.#host.options;
    this.#open.delete(built.index);
    if (reply === 'OK' || reply === 1) {
      tally.counts.written++;
      tally.counts.bytes += built.bytes;
    } else if (reply instanceof PipeError && reply.text.startsWith('ERR no such key')) {
      if (built.expiresAt >= 0 && built.expiresAt < this.#host.now + clocksDiffer) tally.counts.expired++;
      else tally.fail(vanished, built.key);
    } else {
      this.#send(built, kind.aside, words.unlink);
      if (!(reply instanceof PipeError)) this.#host.exists(built.index, built.key);
      else if (this.#isMoved(reply)) this.#elsewhere(built, reply);
      else tally.fail(refusalOf(reply), built.key);
    }
  }

  /** Nothing of it is, or stays, in the target. */
  #drop(built: Built): void {
    const { tally } = this.#host.options;
    if (built.moved !== undefined) this.#elsewhere(built, built.moved);
    else if (built.problem === undefined) tally.counts.expired++;
    else tally.fail(built.problem, built.key);
    this.#open.delete(built.index);
  }

  #isMoved(reply: PipeReply): reply is PipeError {
    return this.#host.options.node !== undefined && reply instanceof PipeError && isElsewhere(reply);
  }

  #elsewhere({ index, key }: Built, reply: PipeError): void {
    if (!this.#host.elsewhere(index, reply)) this.#host.options.tally.fail(slotMoves, key);
  }

  /** In a cluster a name of the same slot, so that the key can be renamed. */
  #temporaryOf(key: Uint8Array, suffix: Uint8Array): Uint8Array {
    const tag = this.#host.options.node === undefined ? '' : slotTag(keySlot(key));
    return Buffer.concat([Buffer.from(tag), key, suffix]);
  }

  /** A command on the temporary key of this value, which need not be the one that is being built. */
  #send(built: Built, of: number, command: readonly Uint8Array[], ...args: (Uint8Array | number)[]): void {
    const before = this.#built;
    this.#built = built;
    this.#kind = of;
    send(this, command, ...args);
    this.#kind = kind.part;
    this.#built = before;
  }
}
