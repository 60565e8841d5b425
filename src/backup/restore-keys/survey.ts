import { payloadVersion } from '../../formats/rdb/dump-payload.ts';
import type { RdbHandler, RdbRecord, TokenSink, ValueWish } from '../../formats/rdb/rdb-handler.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';
import { ValueDecoder } from '../../formats/rdb/value-decoder.ts';
import { encodedArgument } from '../../redis/pipe/command-writer.ts';
import type { Pipe } from '../../redis/pipe/pipe.ts';
import { PipeError, type PipeReply } from '../../redis/pipe/reply-parser.ts';
import { kind, kindOf, refusalOf, stoppedBy, tagOf } from './answer-kinds.ts';
import { isElsewhere } from './moved-keys.ts';
import { ModuleSurvey } from './module-survey.ts';
import { RecentKeys } from './recent-keys.ts';
import { expiringLayouts } from './times-to-live.ts';
import { printableKey, Tally, type FailedKeys } from './tally.ts';
import {
  byCommands,
  impossible,
  largestRaw,
  losesExpiry,
  tooLarge,
  type WritingRules,
} from './writer-options.ts';

interface Amount {
  keys: number;
  /** Of values as in the dump. */
  bytes: number;
}

/** What would be written, counted in the dump itself. */
export interface KeySurvey extends Amount {
  types: Record<string, Amount>;
  databases: Record<string, Amount>;
  /** Not asked for. */
  passed: number;
  expired: number;
  /** Built by plain commands, since the target would not take them in one piece. */
  by_commands: number;
  /** A rough guess of the memory that the target needs for them. */
  memory: number;
  impossible: FailedKeys[];
  /** Keys that the target has already; null where that was not asked. */
  existing: number | null;
  existing_examples: string[];
  /** Keys of which the target does not say whether it has them. */
  existing_unknown: FailedKeys[];
  /** Function libraries in the dump: they are no keys, and are not written. */
  functions: number;
  /** What is wrong with the dump itself, where that is to be passed over. */
  problems: string[];
}

/** What an entry takes besides its bytes: dictionary entry, object, allocator. */
const memoryPerKey = 90;
const examples = 5;
const exists = encodedArgument('EXISTS');
const select = encodedArgument('SELECT');

/** Counts what a KeyWriter with the same options would do, and with a pipe asks the target which keys it has. */
export class Surveyor implements RdbHandler {
  readonly survey: KeySurvey;
  readonly #options: WritingRules;
  readonly #pipe: Pipe | undefined;
  readonly #failed = new Tally();
  readonly #unknown = new Tally();
  readonly #keys = new RecentKeys();
  readonly #modules: ModuleSurvey;
  #selected = 0;
  #wanted = false;
  #losesExpiry = false;
  /** For the reader: takes the values of hashes that only so tell whether the target can hold them. */
  readonly sink: TokenSink = new ValueDecoder({
    field: (_field, _value, expiresAt) => {
      if (this.#options.ttl.of(expiresAt, this.now) > this.now) this.#losesExpiry = true;
    },
  });
  now = 0;
  failure: Error | undefined;

  /** `pipe`: asked which keys are there; `target`: which modules' values it takes. */
  constructor(options: WritingRules, pipe: Pipe | undefined, target?: Pipe) {
    this.#options = options;
    this.#pipe = pipe;
    this.#modules = new ModuleSurvey(target, options.ways.probeKey);
    this.survey = {
      keys: 0,
      bytes: 0,
      types: {},
      databases: {},
      passed: 0,
      expired: 0,
      by_commands: 0,
      memory: 0,
      impossible: this.#failed.counts.failed,
      existing: pipe === undefined ? null : 0,
      existing_examples: [],
      existing_unknown: this.#unknown.counts.failed,
      functions: 0,
      problems: [],
    };
  }

  start(version: RdbVersion): void {
    this.#modules.version = payloadVersion(version, this.#options.target.reads);
  }

  aux(name: string, value: string): void {
    this.#options.ttl.note(name, value);
  }

  functions(): void {
    this.survey.functions++;
  }

  wish(record: RdbRecord): ValueWish {
    const { survey } = this;
    this.#wanted = false;
    this.#losesExpiry = false;
    if (!this.#options.selects(record)) {
      survey.passed++;
      return 'skip';
    }
    record.expiresAt = this.#options.ttl.of(record.expiresAt, this.now);
    if (record.expiresAt >= 0 && record.expiresAt <= this.now) survey.expired++;
    else this.#wanted = true;
    const { fieldExpiry } = this.#options.target;
    if (this.#wanted && record.type.data === 'module' && impossible(record, this.#options) === undefined)
      return 'raw';
    // Values that are damaged show when they are written, one by one.
    if (this.#options.skipDamaged) return 'skip';
    return this.#wanted && !fieldExpiry && expiringLayouts.has(record.type.layout) ? 'tokens' : 'skip';
  }

  record(record: RdbRecord, raw?: Uint8Array | null): void {
    if (!this.#wanted) return;
    const { survey } = this;
    const { type, database, valueBytes, plainBytes, keyBytes, bytes, keyFrom, keyTo } = record;
    const large = valueBytes > largestRaw;
    const problem =
      impossible(record, this.#options) ??
      (raw === null ? tooLarge : large ? this.#options.ways.unable : undefined) ??
      (this.#losesExpiry ? losesExpiry : undefined);
    if (problem !== undefined) return this.#failed.fail(problem, bytes.subarray(keyFrom, keyTo));
    add(survey, valueBytes);
    add((survey.types[type.data] ??= { keys: 0, bytes: 0 }), valueBytes);
    add((survey.databases[database] ??= { keys: 0, bytes: 0 }), valueBytes);
    if (byCommands(record, this.#options) || large) survey.by_commands++;
    const memory = plainBytes + keyBytes + memoryPerKey;
    survey.memory += memory;
    if (raw) this.#modules.count(record, raw, memory);
    if (this.#pipe !== undefined) this.#ask(this.#pipe, record);
  }

  answer(tag: number, reply: PipeReply): void {
    if (reply instanceof PipeError && !isElsewhere(reply))
      this.failure ??= stoppedBy(this.#pipe?.target.name ?? '', reply);
    if (kindOf(tag) === kind.module) this.#modules.answer(reply);
    if (kindOf(tag) === kind.select || kindOf(tag) === kind.module) return;
    if (isElsewhere(reply))
      this.#unknown.fail('answered by another node, since slots are being moved', this.#keys.oldest);
    else if (reply instanceof PipeError) this.#unknown.fail(refusalOf(reply), this.#keys.oldest);
    else if (reply === 1) {
      this.survey.existing = (this.survey.existing ?? 0) + 1;
      const { existing_examples: found } = this.survey;
      if (found.length < examples) found.push(printableKey(this.#keys.oldest));
    }
    this.#keys.drop();
  }

  /** When everything is answered: what the target does not take is not written. */
  finish(): void {
    const { survey } = this;
    for (const { tally, reason, databases, memory } of this.#modules.refused()) {
      for (const { keys, examples: some } of tally.counts.failed)
        survey.impossible.push({ reason, keys, examples: some });
      survey.memory -= memory;
      for (const [database, amount] of databases) {
        take(survey, amount);
        for (const [group, name] of [
          [survey.types, 'module'] as const,
          [survey.databases, String(database)] as const,
        ]) {
          const counted = group[name];
          if (counted !== undefined) take(counted, amount);
          if (counted?.keys === 0) delete group[name];
        }
      }
    }
  }

  #ask(pipe: Pipe, { index, database, bytes, keyFrom, keyTo }: RdbRecord): void {
    const wanted = this.#options.toDatabase ?? database;
    const { out } = pipe;
    if (wanted !== this.#selected) {
      this.#selected = wanted;
      out.start(2, select.length);
      out.literal(select);
      out.integer(wanted);
      pipe.commit(tagOf(index, kind.select));
    }
    out.start(2, exists.length + keyTo - keyFrom);
    out.literal(exists);
    out.argument(bytes, keyFrom, keyTo);
    this.#keys.push(bytes, keyFrom, keyTo, 0);
    pipe.commit(tagOf(index, kind.whole));
  }
}

function take(from: Amount, { keys, bytes }: Amount): void {
  from.keys -= keys;
  from.bytes -= bytes;
}

function add(amount: Amount, bytes: number): void {
  amount.keys++;
  amount.bytes += bytes;
}
