import { RdbEnvelope } from './rdb-envelope.ts';
import { RdbError, type RdbHandler, type RdbRecord } from './rdb-handler.ts';
import { isNews, RdbReader } from './rdb-reader.ts';
import type { DumpRules } from './whole/dump-rules.ts';
import { ContentCounter, type RdbContent } from './content-counter.ts';

export type RdbVerdict =
  | {
      sound: true;
      rdbVersion: number;
      /** `off`: the server ran with `rdbchecksum no`, so nothing but our own SHA-256 protects the file. */
      crc: 'ok' | 'off';
      /** What is in it; or why it could not be read to its end, although the file as a whole is right. */
      content: RdbContent | { unread: string };
    }
  | { sound: false; problem: string };

export interface CheckOptions {
  /** Gets everything that is read. */
  listener?: RdbHandler;
  /** Decode every value too, and hold the dump to what these ask: they tell afterwards what they found. */
  rules?: DumpRules | undefined;
  /** Is told why not all of it could be read, although the file as a whole is right. */
  onUnread?: (why: string) => void;
}

/**
 * Checks a whole dump as it streams by: the header, every record's structure, the end and the CRC64. What it does not
 * know by name (a newer server's types) is no damage: then header, end and CRC64 must suffice. Without a CRC64 it is damage in a
 * version of which everything is known.
 */
export class RdbCheck {
  readonly #envelope: RdbEnvelope;
  readonly #counter = new ContentCounter();
  readonly #reader: RdbReader;
  readonly #onUnread: CheckOptions['onUnread'];
  #fault: RdbError | undefined;

  /** `bytes`: the whole file's length, which must be known before. */
  constructor(bytes: number, { listener, rules, onUnread }: CheckOptions = {}) {
    this.#onUnread = onUnread;
    this.#envelope = new RdbEnvelope(bytes);
    const handler = listener === undefined ? this.#counter : both(this.#counter, listener);
    this.#reader =
      rules === undefined
        ? new RdbReader(handler, { withoutChecksum: true })
        : new RdbReader(withRules(handler, rules), { withoutChecksum: true, sink: rules.sink });
  }

  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void {
    this.#envelope.update(chunk);
    this.#attempt(() => this.#reader.update(chunk));
  }

  finish(): RdbVerdict {
    const verdict = this.#envelope.finish();
    this.#attempt(() => this.#reader.finish());
    const fault = this.#fault;
    // The first fault's place says more than that the checksum is wrong.
    if (fault?.kind === 'damaged' && !this.#mayBeNews()) return { sound: false, problem: placeOf(fault) };
    if (!verdict.sound) return verdict;
    // Nothing tells a type that is not known from a byte that has changed, but its version knows no such type.
    if (fault !== undefined && verdict.crc === 'off' && !this.#mayBeNews())
      return { sound: false, problem: `${placeOf(fault)}, and it has no checksum` };
    if (fault === undefined) return { ...verdict, content: this.#counter.content() };
    const unread = placeOf(fault);
    this.#onUnread?.(unread);
    return { ...verdict, content: { unread } };
  }

  #attempt(act: () => void): void {
    if (this.#fault !== undefined) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      this.#fault = error;
    }
  }

  #mayBeNews(): boolean {
    const { version } = this.#counter;
    return version !== undefined && isNews(version);
  }
}

/** A fault in one line: what, and where. Keys are as they are: printing them safely is the printer's part. */
export function placeOf({ message, offset, record }: RdbError): string {
  const key = record === undefined || record.key === '' ? '' : `, key ${JSON.stringify(record.key)}`;
  const where = record === undefined ? '' : ` in record ${record.index}${key}`;
  return `${message} (at byte ${offset}${where})`;
}

/** The same handler, beside rules that have every value decoded. */
export function withRules(handler: RdbHandler, rules: DumpRules): RdbHandler {
  return { ...both(handler, rules), scanner: undefined, wish: (record) => rules.wish(record) };
}

function both(one: RdbHandler, other: RdbHandler): RdbHandler {
  return {
    start: (version) => {
      one.start?.(version);
      other.start?.(version);
    },
    aux: (name, value) => {
      one.aux?.(name, value);
      other.aux?.(name, value);
    },
    database: (database) => {
      one.database?.(database);
      other.database?.(database);
    },
    size: (keys, expires) => {
      one.size?.(keys, expires);
      other.size?.(keys, expires);
    },
    functions: (code, bytes) => {
      one.functions?.(code, bytes);
      other.functions?.(code, bytes);
    },
    moduleAux: (module) => {
      one.moduleAux?.(module);
      other.moduleAux?.(module);
    },
    get scanner() {
      return other.scanner;
    },
    counted: (database, code, keys, expiring) => {
      one.counted?.(database, code, keys, expiring);
      other.counted?.(database, code, keys, expiring);
    },
    record: (record: RdbRecord) => {
      one.record?.(record);
      other.record?.(record);
    },
  };
}
