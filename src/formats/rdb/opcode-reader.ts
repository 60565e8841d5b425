import { moduleName } from './module-name.ts';
import { RdbError, type RdbHandler, type RdbRecord } from './rdb-handler.ts';
import type { Engine } from './rdb-version.ts';
import { StringReader } from './string-reader.ts';
import { sections, type Grammar } from './value-grammar.ts';
import type { ValueReader } from './value-reader.ts';
import { nameOfUnreadable } from './value-types.ts';
import { more, type Window } from './window.ts';

/** Bytes that stand where a value's type could. Names as in the servers' rdb.h. */
export const opcode = {
  slotImport: 243, // Valkey 9
  slotInfo: 244, // Redis 7.4
  function2: 245, // Redis 7.0
  functionPreGa: 246, // its release candidates
  moduleAux: 247,
  idle: 248,
  frequency: 249,
  aux: 250,
  resizeDb: 251,
  expireTimeMs: 252,
  expireTime: 253,
  selectDb: 254,
  end: 255,
} as const;

const textLimit = 64 * 1024;

/** Reads what stands between keys: the parts of one opcode, in as many calls as it takes windows. */
export class OpcodeReader {
  readonly #window: Window;
  readonly #handler: RdbHandler;
  readonly #record: RdbRecord;
  readonly #section: ValueReader;
  readonly #text: StringReader;
  /** The name of an auxiliary field whose value is to come. */
  #name: string | undefined;
  /** Is a section begun? */
  #inSection = false;

  constructor(
    window: Window,
    handler: RdbHandler,
    record: RdbRecord,
    section: ValueReader,
    limit = textLimit,
  ) {
    this.#window = window;
    this.#handler = handler;
    this.#record = record;
    this.#section = section;
    this.#text = new StringReader(window, limit);
  }

  /** What follows `code`. False when the window ends before: call again with the next. Throws an RdbError. */
  read(code: number, engine: Engine): boolean {
    switch (code) {
      case opcode.selectDb:
        return this.#selectDb();
      case opcode.resizeDb:
        return this.#resizeDb();
      case opcode.aux:
        return this.#aux();
      case opcode.expireTime:
        return this.#fixed(4, () => (this.#record.expiresAt = this.#window.signed(4) * 1000));
      case opcode.expireTimeMs:
        return this.#fixed(8, () => (this.#record.expiresAt = this.#window.int64()));
      case opcode.frequency:
        return this.#fixed(1, () => (this.#record.frequency = this.#window.signed(1) & 0xff));
      case opcode.idle:
        return this.#idle();
      case opcode.function2:
        return this.#function();
      case opcode.moduleAux:
        return this.#moduleAux();
      case opcode.functionPreGa:
        return this.#skip(sections.earlyFunctions);
      case opcode.slotInfo:
        return this.#skip(sections.slotInfo);
      default:
        if (code === opcode.slotImport && engine === 'valkey') return this.#skip(sections.slotImport);
        throw unknown(code, engine);
    }
  }

  #fixed(bytes: number, take: () => void): boolean {
    if (!this.#window.has(bytes)) return false;
    take();
    return true;
  }

  #selectDb(): boolean {
    const database = this.#window.count();
    if (database === more) return false;
    this.#record.database = database;
    this.#handler.database?.(database);
    return true;
  }

  #resizeDb(): boolean {
    const window = this.#window;
    const before = window.at;
    const keys = window.count();
    const expires = keys === more ? more : window.count();
    if (expires === more) {
      window.at = before;
      return false;
    }
    this.#handler.size?.(keys, expires);
    return true;
  }

  #idle(): boolean {
    const idle = this.#window.count();
    if (idle === more) return false;
    this.#record.idle = idle;
    return true;
  }

  #aux(): boolean {
    if (this.#name === undefined) {
      if (!this.#text.read()) return false;
      this.#name = this.#string();
    }
    if (!this.#text.read()) return false;
    this.#handler.aux?.(this.#name, this.#string());
    this.#name = undefined;
    return true;
  }

  #function(): boolean {
    if (!this.#text.read()) return false;
    const { bytes, from, to, length } = this.#text;
    this.#handler.functions?.(bytes.subarray(from, to), length);
    return true;
  }

  #moduleAux(): boolean {
    if (!this.#inSection) {
      const id = this.#window.number();
      if (id === more) return false;
      this.#handler.moduleAux?.(moduleName(BigInt(id)));
    }
    return this.#skip(sections.moduleAux);
  }

  #skip(section: Grammar): boolean {
    if (!this.#inSection) this.#section.begin(section, null);
    this.#inSection = !this.#section.run();
    return !this.#inSection;
  }

  #string(): string {
    const { bytes, from, to } = this.#text;
    return new TextDecoder().decode(bytes.subarray(from, to));
  }
}

function unknown(code: number, engine: Engine): RdbError {
  const name = nameOfUnreadable(engine, code);
  if (name !== undefined) return new RdbError('unknown', `${name} cannot be read`);
  const what = code > 200 ? 'opcode' : 'value type';
  return new RdbError('unknown', `the ${what} ${code} is not known in a file of ${engine}`);
}
