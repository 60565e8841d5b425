import type { Engine } from '../../domain/backup.ts';
import type { ElementSink } from './element-sink.ts';
import type { RdbRecord } from './rdb-handler.ts';

/**
 * How a server writes, behind a listpack's entry of 16383 bytes, how long it was: in three bytes, or since Valkey 9.1 in
 * two. A server that meets the other form in a value that RESTORE gave it refuses the value, or takes it and ends itself
 * when it is read. Which of them Valkey 9.0 writes is not known here.
 */
export type ListpackForm = 'long' | 'short' | 'unknown';

export function listpackForm(engine: Engine, version: string | undefined): ListpackForm {
  if (engine === 'redis') return 'long';
  const number = Number.parseFloat(version ?? '');
  if (number < 9) return 'long';
  return number >= 9.1 ? 'short' : 'unknown';
}

/** Must values of the one be looked at before the other gets them? */
export function formsDiffer(
  writer: { engine: Engine; version: string },
  reader: { engine: Engine; version: string },
): boolean {
  const [written, read] = [writer, reader].map(({ engine, version }) => listpackForm(engine, version));
  return written !== read || read === 'unknown';
}

/**
 * Counts elements that make such an entry where they are in a listpack; the same holds at the next lengths that fill the
 * bytes which tell them. One that is not in a listpack counts too.
 */
export class OddEntries implements ElementSink {
  count = 0;

  item(item: Uint8Array): void {
    this.#look(item);
  }

  field(field: Uint8Array, value: Uint8Array): void {
    this.#look(field);
    this.#look(value);
  }

  member(member: Uint8Array): void {
    this.#look(member);
  }

  entry(_id: unknown, fields: readonly Uint8Array[]): void {
    for (const part of fields) this.#look(part);
  }

  #look({ length }: Uint8Array): void {
    if (oddLengths.has(length)) this.count++;
  }
}

/** Before each of these a string in a listpack has five bytes. */
const oddLengths: ReadonlySet<number> = new Set([14, 21, 28].map((bits) => 2 ** bits - 1 - 5));

/** Its length with the bytes that tell it. */
const entryBytes = 16_383;
/** The beginning of such an entry: a string with a length of four bytes. */
const entryHead = Buffer.from([0xf0, 0xfa, 0x3f, 0, 0]);

/** May this value hold such an entry? A compressed one that is long enough may. */
export function holdsOddEntry(
  {
    type,
    longest,
    valueBytes,
    plainBytes,
  }: Pick<RdbRecord, 'type' | 'longest' | 'valueBytes' | 'plainBytes'>,
  raw: Uint8Array,
): boolean {
  if (type.packing !== 'listpack' || longest < entryBytes) return false;
  return plainBytes > valueBytes || Buffer.from(raw.buffer, raw.byteOffset, raw.length).includes(entryHead);
}
