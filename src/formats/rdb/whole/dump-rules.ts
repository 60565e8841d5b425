import type { ElementSink, PassedOver } from '../element-sink.ts';
import type { RdbHandler, RdbRecord, ValueWish } from '../rdb-handler.ts';
import { shownName } from '../shown-name.ts';
import { ValueDecoder } from '../value-decoder.ts';
import { EmptyKeys } from './empty-keys.ts';
import type { HashSeed } from './key-hash.ts';
import { LibraryNames } from './library-names.ts';
import { TwinFilter } from './twin-filter.ts';
import { TwinWatch } from './twin-finder.ts';

/** Keys with something that servers live with. */
export interface PassedKeys {
  count: number;
  /** The first of them, as they are: printing them safely is the printer's part. */
  examples: string[];
}

export interface RulesOptions {
  /** The dump's length, where that is known. */
  bytes?: number | undefined;
  /** Gets the elements of all values. */
  elements?: ElementSink;
  /** Can it be read again? */
  again?: boolean;
}

const examples = 3;
/**
 * What a server asks of a dump besides sound values, for a reader that decodes every one (`sink`, and this as its handler):
 * library names, the highest database that is selected, keys that may stand there twice, and what servers pass over.
 */
export class DumpRules implements RdbHandler {
  readonly sink: ValueDecoder;
  readonly twins: TwinFilter;
  readonly seed: HashSeed;
  readonly #libraries = new LibraryNames();
  readonly #passed: Record<PassedOver, PassedKeys> = {
    empty: { count: 0, examples: [] },
    'stream-length': { count: 0, examples: [] },
  };
  readonly #empty = new EmptyKeys();
  #highest = 0;
  #modules = 0;
  #found: PassedOver | undefined;

  readonly #watch: TwinWatch | undefined;

  constructor(seed: HashSeed, { bytes, elements = {}, again = true }: RulesOptions = {}) {
    this.seed = seed;
    this.#watch = again ? undefined : new TwinWatch(seed);
    this.twins = new TwinFilter(seed, bytes);
    // An object of its own: a decoder is faster without methods to call.
    const sink: ElementSink = elements;
    sink.passedOver = (what) => (this.#found = what);
    this.sink = new ValueDecoder(sink);
  }

  /** The highest database that is selected, with or without keys: a server that has fewer ends at it. */
  get highestDatabase(): number {
    return this.#highest;
  }

  /** Function libraries. Whether their code compiles only a server can tell. */
  get libraries(): number {
    return this.#libraries.count;
  }

  /** Keys whose values are a module's own, which nobody but it can check. */
  get modules(): number {
    return this.#modules;
  }

  /** Keys without elements, which servers leave out since 6.2. */
  get empty(): PassedKeys {
    return this.#passed.empty;
  }

  /** Streams that state another length than they have, which Valkey refuses since 9.1. */
  get staleStreams(): PassedKeys {
    return this.#passed['stream-length'];
  }

  /** The empty ones by database. */
  get emptyByDatabase(): Record<string, { keys: number; expires: number }> {
    return this.#empty.databases;
  }

  /** Is no key there twice? False: the first reading cannot rule it out. */
  get distinct(): boolean {
    return this.twins.suspects.size === 0 || this.#watch?.unsure === false;
  }

  database(database: number): void {
    if (database > this.#highest) this.#highest = database;
  }

  functions(code: Uint8Array): void {
    this.#libraries.add(code);
  }

  wish({ type }: RdbRecord): ValueWish {
    return type.data === 'module' ? 'skip' : 'tokens';
  }

  record(record: RdbRecord): void {
    const { database, bytes, keyFrom, keyTo, type } = record;
    this.twins.add(database, bytes, keyFrom, keyTo);
    this.#watch?.record(record);
    if (type.data === 'module') this.#modules++;
    if (this.#found !== undefined) this.#pass(this.#found, record);
  }

  #pass(what: PassedOver, record: RdbRecord): void {
    this.#found = undefined;
    const passed = this.#passed[what];
    passed.count++;
    if (what === 'empty') this.#empty.record(record);
    if (passed.examples.length < examples)
      passed.examples.push(shownName(record.bytes, record.keyFrom, record.keyTo));
  }
}
