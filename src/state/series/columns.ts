import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { VarintReader, VarintWriter } from './varint.ts';

/** Rows of one stretch of time: what was seen at each moment, by number of the column. */
export type Row = { at: number; values: ReadonlyMap<number, number> };

/** A chunk that claims to be larger is damaged. */
const largest = 64 * 2 ** 20;
/** Fractions are kept to the millionth. */
const precision = 1e6;
const exact = 2 ** 53;

/**
 * One compressed chunk: the times, then column by column the differences from one value to the next, which are small
 * and alike. A column that is empty takes nothing; a gap is one bit.
 */
export function encodeChunk(rows: readonly Row[]): Uint8Array {
  const writer = new VarintWriter();
  const columns = [...new Set(rows.flatMap(({ values }) => [...values.keys()]))].toSorted((a, b) => a - b);
  writer.unsigned(rows.length);
  writer.unsigned(columns.length);
  let before = 0;
  for (const { at } of rows) {
    writer.signed(at - before);
    before = at;
  }
  for (const column of columns) writeColumn(writer, column, rows);
  return zstdCompressSync(writer.done());
}

function writeColumn(writer: VarintWriter, column: number, rows: readonly Row[]): void {
  const present = new Uint8Array(Math.ceil(rows.length / 8));
  const values: number[] = [];
  for (const [index, row] of rows.entries()) {
    const value = row.values.get(column);
    if (value === undefined) continue;
    present[index >> 3] = (present[index >> 3] ?? 0) | (1 << (index & 7));
    values.push(value);
  }
  const whole = values.every((value) => Number.isInteger(value));
  // Whole where a millionth would not fit beside it.
  const scale = whole || values.some((value) => Math.abs(value) * precision >= exact) ? 1 : precision;
  writer.unsigned(column);
  writer.unsigned(scale === 1 ? 0 : 1);
  writer.bytes(present);
  let before = 0;
  for (const value of values) {
    const scaled = Math.round(bounded(value) * scale);
    writer.signed(scaled - before);
    before = scaled;
  }
}

/** So that a difference is still a whole number. */
const bounded = (value: number): number => Math.min(Math.max(value, -exact / 4), exact / 4);

/** Throws when the chunk is none of ours. */
export function decodeChunk(chunk: Uint8Array): Row[] {
  const reader = new VarintReader(zstdDecompressSync(chunk, { maxOutputLength: largest }));
  const count = reader.unsigned();
  const columns = reader.unsigned();
  const rows: { at: number; values: Map<number, number> }[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) rows.push({ at: (at += reader.signed()), values: new Map() });
  for (let index = 0; index < columns; index++) {
    const column = reader.unsigned();
    const scale = reader.unsigned() === 0 ? 1 : precision;
    const present = reader.bytes(Math.ceil(count / 8));
    let value = 0;
    for (const [place, row] of rows.entries()) {
      if (((present[place >> 3] ?? 0) & (1 << (place & 7))) === 0) continue;
      value += reader.signed();
      row.values.set(column, value / scale);
    }
  }
  return rows;
}

/** Both, in order; where two have the same time, the later list counts. */
export function mergeRows(earlier: readonly Row[], later: readonly Row[]): Row[] {
  const rows = new Map([...earlier, ...later].map((row) => [row.at, row]));
  return [...rows.values()].toSorted((a, b) => a.at - b.at);
}
