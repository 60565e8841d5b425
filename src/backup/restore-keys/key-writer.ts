import { AgentError } from '../../domain/errors.ts';
import { footerBytes, PayloadFooter, payloadVersion } from '../../formats/rdb/dump-payload.ts';
import { moduleOf } from '../../formats/rdb/module-name.ts';
import type { RdbError, RdbHandler, RdbRecord, TokenSink, ValueWish } from '../../formats/rdb/rdb-handler.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Pipe } from '../../redis/pipe/pipe.ts';
import { PipeError, type PipeReply } from '../../redis/pipe/reply-parser.ts';
import { goesBySet, goesInParts } from './cheaper-ways.ts';
import { existsAlready, kind, kindOf, recordOf, refusalOf, stoppedBy, tagOf } from './answer-kinds.ts';
import { keySlot } from '../../formats/cluster/key-slot.ts';
import { isEmpty } from '../../formats/rdb/whole/empty-keys.ts';
import { isElsewhere, slotMoves } from './moved-keys.ts';
import { lacksModule, writePayload } from './module-survey.ts';
import { JudgedValue } from './judged-value.ts';
import { OddEntries } from './odd-entries.ts';
import { RecentKeys } from './recent-keys.ts';
import { ValueBuilder, type BuilderHost } from './value-builder.ts';
import { wordBytes, words } from './words.ts';
import { byCommands, impossible, tooLarge, type KeyWriterOptions } from './writer-options.ts';

/**
 * Writes the records that it is shown into the target, in the order of the file and without waiting; `answer` gets what
 * the server says to it.
 */
export class KeyWriter implements RdbHandler, BuilderHost {
  readonly options: KeyWriterOptions;
  readonly pipe: Pipe;
  readonly #builder: ValueBuilder;
  readonly #keys = new RecentKeys();
  readonly #footer = new PayloadFooter();
  readonly #values: JudgedValue;
  readonly #odd: OddEntries;
  /** Of the values that are on their way. */
  readonly #modules = new Map<number, string>();
  #version = 0;
  #selected = 0;
  /** The record that is being read goes by plain commands. */
  #built = false;
  /** Records before this one are done. */
  #from: number;
  /** Why the record that is being read is not written; counted when it is over. */
  #left: 'passed' | 'expired' | { problem: string } | undefined;
  /** Milliseconds since 1970: what expired before is not written. Set it as time goes by. */
  now = 0;
  /** Records that are over: skipped, or sent whole. The one that is being read is not among them. */
  done = 0;
  /** Why nothing more is written. */
  failure: AgentError | undefined;
  /** Values that RESTORE does not take, or not well: they take a second reading, and are built by commands. */
  readonly deferred: number[];

  constructor(pipe: Pipe, options: KeyWriterOptions, deferred: number[] = []) {
    this.pipe = pipe;
    this.options = options;
    this.deferred = deferred;
    this.#builder = new ValueBuilder(this);
    this.#values = new JudgedValue(options.ways.near);
    this.#odd = new OddEntries(options.target.listpacks);
    this.#from = options.from;
  }

  /** For the reader: takes the values that are built by commands. */
  get sink(): TokenSink {
    return this.#builder.decoder;
  }

  start(version: RdbVersion): void {
    this.#version = payloadVersion(version, this.options.target.reads);
    this.#odd.start(version);
  }

  aux(name: string, value: string): void {
    this.options.ttl.note(name, value);
    this.#odd.aux(name, value);
  }

  functions(code: Uint8Array, bytes: number): void {
    this.options.functions?.add(code, bytes);
  }

  wish(record: RdbRecord): ValueWish {
    const { index } = record;
    const { only, selects, ttl } = this.options;
    this.#left = undefined;
    if (index < this.#from || this.failure !== undefined || (only !== undefined && !only.has(index)))
      return 'skip';
    if (!selects(record)) {
      this.#left = 'passed';
      return 'skip';
    }
    record.expiresAt = ttl.of(record.expiresAt, this.now);
    if (record.expiresAt >= 0 && record.expiresAt <= this.now) this.#left = 'expired';
    else {
      const problem = impossible(record, this.options);
      this.#built = byCommands(record, this.options);
      if (problem === undefined) return this.#built && !this.#isJudged(index) ? 'tokens' : 'raw';
      this.#left = { problem };
    }
    return 'skip';
  }

  record(record: RdbRecord, raw?: Uint8Array | null): void {
    const { tally } = this.options;
    const damage = raw && this.#isJudged(record.index) ? this.#values.damageOf(record, raw) : undefined;
    if (damage !== undefined) tally.leaveOut(record.database, keyOf(record), damage);
    else if (raw && isEmpty(record)) tally.counts.empty++;
    else if (raw && this.#odd.has(record, raw))
      this.#later(record.index, keyOf(record), 'an entry that servers write in two ways');
    else if (raw) this.#write(record, raw);
    else if (raw === null && record.type.data === 'module') tally.fail(tooLarge, keyOf(record));
    else if (raw === null) this.#later(record.index, keyOf(record), 'a value of its size');
    else if (this.#left === undefined) this.#builder.measure(record);
    else this.#count(this.#left, record);
    this.done = record.index + 1;
  }

  #write(record: RdbRecord, raw: Uint8Array): void {
    if (!this.#built && goesBySet(record, this.options))
      this.#set(record, raw.subarray(raw.length - record.longest));
    else if (this.#built || goesInParts(record, this.options)) {
      this.#values.read(record, raw, this.sink);
      this.#builder.measure(record);
    } else this.#restore(record, raw);
  }

  #set(record: RdbRecord, value: Uint8Array): void {
    this.selectFor(record.database);
    this.#askFor(record);
    const { out } = this.pipe;
    const replaces = this.options.existing === 'replace';
    const expires = record.expiresAt >= 0;
    out.start(3 + (replaces ? 0 : 1) + (expires ? 2 : 0), wordBytes + record.keyTo - record.keyFrom);
    out.literal(words.set);
    out.argument(record.bytes, record.keyFrom, record.keyTo);
    out.long(value);
    if (!replaces) out.literal(words.nx);
    if (expires) {
      out.literal(words.pxat);
      out.integer(record.expiresAt);
    }
    this.#keys.push(record.bytes, record.keyFrom, record.keyTo, record.valueBytes);
    this.pipe.commit(tagOf(record.index, kind.whole));
  }

  #restore(record: RdbRecord, raw: Uint8Array): void {
    this.selectFor(record.database);
    this.#askFor(record);
    const { out } = this.pipe;
    const value = this.#values.of(record, raw);
    const replaces = this.options.existing === 'replace';
    const access = record.idle >= 0 || record.frequency >= 0;
    out.start(
      5 + (replaces ? 1 : 0) + (access ? 2 : 0),
      wordBytes + record.keyTo - record.keyFrom + value.length + footerBytes,
    );
    out.literal(words.restore);
    out.argument(record.bytes, record.keyFrom, record.keyTo);
    out.integer(Math.max(0, record.expiresAt));
    if (record.type.data === 'module') this.#modules.set(record.index, moduleOf(raw));
    writePayload(out, this.#footer, this.#version, record.type.code, value);
    out.literal(words.absttl);
    if (replaces) out.literal(words.replace);
    if (access) {
      out.literal(record.idle >= 0 ? words.idletime : words.freq);
      out.integer(record.idle >= 0 ? record.idle : record.frequency);
    }
    this.#keys.push(record.bytes, record.keyFrom, record.keyTo, raw.length);
    this.pipe.commit(tagOf(record.index, kind.whole));
  }

  /** The answer to the command that was committed with this tag. */
  answer(tag: number, reply: PipeReply): void {
    if (kindOf(tag) !== kind.whole) {
      if (kindOf(tag) === kind.select) this.#selectedBy(reply);
      else this.#builder.answer(tag, reply);
      return;
    }
    const { counts } = this.options.tally;
    if (this.failure === undefined) {
      if (reply === 'OK') {
        counts.written++;
        counts.bytes += this.#keys.size;
      } else this.#refused(tag, reply);
    }
    this.#keys.drop();
    if (this.#modules.size > 0) this.#modules.delete(recordOf(tag));
  }

  /** Before a command: goes to the database that `database` of the file is written into. */
  selectFor(database: number): void {
    const wanted = this.options.toDatabase ?? database;
    if (wanted === this.#selected) return;
    this.#selected = wanted;
    const { out } = this.pipe;
    out.start(2, wordBytes);
    out.literal(words.select);
    out.integer(wanted);
    this.pipe.commit(tagOf(0, kind.select));
  }

  /** Before a command on a key whose slot is on its way to this node. */
  #askFor({ bytes, keyFrom, keyTo }: RdbRecord): void {
    const asking = this.options.node?.asking;
    if (asking === undefined || asking.size === 0 || !asking.has(keySlot(bytes, keyFrom, keyTo))) return;
    const { out } = this.pipe;
    out.start(1, wordBytes);
    out.literal(words.asking);
    this.pipe.commit(tagOf(0, kind.select));
  }

  /** False where the node was asked for the last time. */
  elsewhere(index: number, reply: PipeError): boolean {
    const moved = this.options.node?.moved;
    const noted = moved?.note(index, reply) === true;
    if (noted) this.failure ??= moved?.tooMany(this.pipe.target.name);
    return noted;
  }

  /** All that was sent is answered. True where a value that was being built is what is damaged: the next reading passes over it. */
  leavesOut({ message, record }: RdbError): boolean {
    if (record === undefined || this.options.built?.has(record.index) !== true) return false;
    this.#from = record.index + 1;
    const left = this.#builder.giveUp(record.index);
    if (left !== undefined) this.options.tally.leaveOut(left.database, left.key, message);
    return true;
  }

  /** After a failure: takes what was being built out of the target, where the connection still stands. */
  async abandon(): Promise<void> {
    this.#builder.abandon();
    // Else it goes by itself after a day, or with the next run.
    await this.pipe.drain().catch(() => {});
  }

  /** The target has this key already. */
  exists(index: number, key: Uint8Array): void {
    const { existing, doubtfulTo, tally } = this.options;
    if (existing !== 'stop' || index < doubtfulTo) tally.counts.existing++;
    else this.failure ??= existsAlready(this.pipe.target.name, key, tally.counts.written);
  }

  /** Ends all writing where the server's refusal is one that every later command would get. */
  stopOn(reply: PipeReply): boolean {
    if (!(reply instanceof PipeError)) return false;
    if (this.options.node !== undefined && isElsewhere(reply)) return false;
    this.failure ??= stoppedBy(this.pipe.target.name, reply);
    return this.failure !== undefined;
  }

  /** What would follow a refused SELECT would go into another database. */
  #selectedBy(reply: PipeReply): void {
    if (!(reply instanceof PipeError) || this.stopOn(reply)) return;
    const what = this.options.node === undefined ? 'SELECT' : 'SELECT or ASKING';
    const why = printable(reply.text);
    this.failure = new AgentError('redis', `${this.pipe.target.name} refuses ${what}: ${why}`);
  }

  #count(left: 'passed' | 'expired' | { problem: string }, record: RdbRecord): void {
    const { tally } = this.options;
    if (typeof left === 'string') tally.counts[left]++;
    else tally.fail(left.problem, keyOf(record));
  }

  /** Is the value held as a whole, so that it can be left out before any of it is sent? Longer ones are built as they are read. */
  #isJudged(index: number): boolean {
    return this.options.skipDamaged && this.options.built?.has(index) !== true;
  }

  /** Leaves a value for the second reading. `what` takes one. */
  #later(index: number, key: Uint8Array, what: string): void {
    const { again, tally, ways } = this.options;
    if (ways.unable !== undefined) tally.fail(ways.unable, key);
    else if (again) this.deferred.push(index);
    else tally.fail(`${what} takes a second reading: name a file instead of -`, key);
  }

  #refused(tag: number, reply: PipeReply): void {
    const key = this.#keys.oldest;
    const module = this.#modules.get(recordOf(tag));
    if (this.options.node !== undefined && reply instanceof PipeError && isElsewhere(reply)) {
      if (!this.elsewhere(recordOf(tag), reply)) this.options.tally.fail(slotMoves, key);
      return;
    }
    // What SET NX says.
    if (reply === null) this.exists(recordOf(tag), key);
    else if (!(reply instanceof PipeError))
      this.options.tally.fail('the server gave another answer than it should', key);
    else if (reply.code === 'BUSYKEY') this.exists(recordOf(tag), key);
    else if (module !== undefined && reply.text.startsWith('ERR Bad data format'))
      this.options.tally.fail(lacksModule(module), key);
    else if (reply.text.startsWith('ERR Bad data format'))
      this.#later(recordOf(tag), key, 'what RESTORE refuses');
    else if (!this.stopOn(reply)) this.options.tally.fail(refusalOf(reply), key);
  }
}

function keyOf({ bytes, keyFrom, keyTo }: RdbRecord): Uint8Array {
  return bytes.subarray(keyFrom, keyTo);
}
