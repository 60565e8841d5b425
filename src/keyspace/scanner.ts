import type {
  KeysOptions,
  KeyScanner,
  RdbHandler,
  RdbRecord,
  ShownBytes,
} from '../formats/rdb/rdb-handler.ts';
import { valueTypes, type Layout, type Packing, type ValueType } from '../formats/rdb/value-types.ts';
import { BufferArena } from './arena.ts';
import { frequencyBounds, idleBounds, ttlBounds, type Histogram } from './histogram.ts';
import { smallClasses, type MemoryModel } from './memory-model.ts';
import { dataTypes, type PrefixSums } from './prefix-sums.ts';
import { scanKernel } from './scan-kernel.ts';
import * as layout from './scan-layout.ts';
import { rowOfCode, type Tallies } from './tallies.ts';

/** For the tables, which take some 3 MiB. */
const tableBytes = 4 * 2 ** 20;
/** The longest window that fits. */
const windowBytes = 256 * 1024;
const pages = (tableBytes + windowBytes) / 65_536;

const { listpack, ziplist, intset } = layout;
const packings: Record<Packing, number> = { zipmap: 0, listpack, ziplist, intset };

/** How the kernel reads values; 0: not at all. */
const layouts: Partial<Record<Layout, number>> = {
  string: layout.string,
  blob: layout.packed,
  pairs: layout.hash,
  scored: layout.zset,
  containers: layout.list,
  blobs: layout.earlyList,
};

function kernelLayout(type: ValueType | undefined): number {
  if (type?.layout === 'strings') return type.data === 'set' ? layout.set : 0;
  return type === undefined ? 0 : (layouts[type.layout] ?? 0);
}

/** The parts of WebAssembly that are used here; Node's types leave it to the DOM's. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: object } }) => { exports: { scan: Scan } };
  validate(bytes: Uint8Array): boolean;
};

type Scan = (this: void, at: number, stop: number, end: number) => number;

/** The tables that it adds to, all of its arena. */
export interface ScannerTables {
  tallies: Tallies;
  sizes: Histogram;
  times: Histogram;
  idles: Histogram;
  frequencies: Histogram;
  prefixes: PrefixSums;
}

export interface ScannerSettings {
  model: MemoryModel;
  /** Milliseconds. */
  measuredFrom: number;
  /** Keys that are above one of these are given to `record`. */
  floors: { memory: number; bytes: number; elements: number };
  separator: number;
  levels: number;
}

let compiled: object | null | undefined;

/** The compiled kernel; null where the machine has no 128-bit vectors. Constant, so it is made once. */
function kernel(): object | null {
  if (compiled !== undefined) return compiled;
  const bytes = typeof WebAssembly === 'undefined' ? undefined : Buffer.from(scanKernel, 'base64');
  compiled = bytes !== undefined && WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
  return compiled;
}

/** Runs the kernel (kernel/scan.ts), which reads and counts keys in memory that its tables share. */
export class Scanner implements KeyScanner {
  readonly arena: BufferArena;
  readonly #scan: Scan;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #numbers: Int32Array<ArrayBuffer>;
  readonly #doubles: Float64Array<ArrayBuffer>;
  /** Those that the kernel knows. */
  #options: KeysOptions | undefined;

  /** Undefined where this machine cannot (no vectors, no address space). */
  static create(): Scanner | undefined {
    const module = kernel();
    if (module === null) return undefined;
    let memory;
    try {
      memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    } catch {
      return undefined; // an address-space limit (ulimit -v) leaves no room for the memory's guard region
    }
    const { scan } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    return new Scanner(memory.buffer, scan);
  }

  private constructor(memory: ArrayBuffer, scan: Scan) {
    this.#scan = scan;
    this.#bytes = new Uint8Array(memory);
    this.#numbers = new Int32Array(memory);
    this.#doubles = new Float64Array(memory);
    this.arena = new BufferArena(memory, layout.top, tableBytes);
    new Uint16Array(memory, layout.classes).set(smallClasses);
    this.#doubles.set([...ttlBounds, Infinity], layout.timeBounds / 8);
    this.#doubles.set([...idleBounds, Infinity], layout.idleBounds / 8);
    this.#doubles.set([...frequencyBounds, Infinity], layout.frequencyBounds / 8);
    for (const { code, data, packing, entries } of valueTypes) {
      this.#bytes[layout.packings + code] = packing === undefined ? 0 : packings[packing];
      this.#bytes[layout.entries + code] = entries;
      this.#bytes[layout.rows + code] = rowOfCode[code]!;
      this.#bytes[layout.dataTypes + code] = dataTypes.indexOf(data);
    }
  }

  /** Once, before anything is read. */
  share({ tallies, sizes, times, idles, frequencies, prefixes }: ScannerTables): void {
    this.#setNumber(layout.tallies, tallies.sums.byteOffset);
    this.#setNumber(layout.sizes, sizes.sums.byteOffset);
    this.#setNumber(layout.times, times.sums.byteOffset);
    this.#setNumber(layout.idles, idles.sums.byteOffset);
    this.#setNumber(layout.frequencies, frequencies.sums.byteOffset);
    this.#setNumber(layout.slots, prefixes.slots.byteOffset);
    this.#setNumber(layout.slotMask, prefixes.slots.length - 1);
    this.#setNumber(layout.places, prefixes.places.byteOffset);
    this.#setNumber(layout.first, prefixes.first.byteOffset);
    this.#setNumber(layout.second, prefixes.second.byteOffset);
    this.#setNumber(layout.stars, prefixes.stars.byteOffset);
    this.#setNumber(layout.literal, prefixes.literal.byteOffset);
    this.#setNumber(layout.sums, prefixes.sums.byteOffset);
    this.#setNumber(layout.types, prefixes.types.byteOffset);
  }

  set({ model, measuredFrom, floors, separator, levels }: ScannerSettings): void {
    this.#setNumber(layout.embedsKeys, model.embedsKeys ? 1 : 0);
    this.#setNumber(layout.embedLimit, model.embedLimit);
    this.#setNumber(layout.embedHeader, model.embedHeader);
    this.#setNumber(layout.packsLists, model.packsLists ? 1 : 0);
    this.#setNumber(layout.embedsMembers, model.embedsMembers ? 1 : 0);
    this.#setNumber(layout.separator, separator);
    this.#setNumber(layout.levels, levels);
    this.#doubles[layout.measuredFrom / 8] = measuredFrom;
    this.#doubles[layout.memoryFloor / 8] = floors.memory;
    this.#doubles[layout.bytesFloor / 8] = floors.bytes;
    this.#doubles[layout.elementsFloor / 8] = floors.elements;
  }

  place(part: Uint8Array): Uint8Array | undefined {
    if (part.length > windowBytes) return undefined;
    this.#bytes.set(part, tableBytes);
    return this.#bytes.subarray(0, tableBytes + part.length);
  }

  holds(window: ShownBytes): boolean {
    return window.bytes.buffer === this.#bytes.buffer;
  }

  read(window: ShownBytes, record: RdbRecord, handler: RdbHandler, options: KeysOptions): number {
    const numbers = this.#numbers;
    if (options !== this.#options) this.#take(options);
    record.bytes = window.bytes;
    let index = options.first;
    const doubles = this.#doubles;
    for (;;) {
      doubles[layout.expiresAt / 8] = record.expiresAt;
      doubles[layout.idle / 8] = record.idle;
      doubles[layout.frequency / 8] = record.frequency;
      window.at = this.#scan(window.at, window.stop, window.end);
      index += numbers[layout.read / 4]!;
      record.expiresAt = doubles[layout.expiresAt / 8]!;
      record.idle = doubles[layout.idle / 8]!;
      record.frequency = doubles[layout.frequency / 8]!;
      if (numbers[layout.isKey / 4] === 0) return index - options.first;
      record.index = index++;
      this.#describe(window, record, options);
      handler.record?.(record);
      record.expiresAt = -1;
      record.idle = -1;
      record.frequency = -1;
      window.at = numbers[layout.valueEnd / 4]!;
    }
  }

  takeCounts(take: (code: number, keys: number, expiring: number) => void): void {
    const counts = this.#doubles.subarray(layout.counts / 8, layout.classes / 8);
    for (let code = 0; code < counts.length / 2; code++)
      if (counts[2 * code]! > 0) take(code, counts[2 * code]!, counts[2 * code + 1]!);
    counts.fill(0);
  }

  #take(options: KeysOptions): void {
    this.#options = options;
    this.#setNumber(layout.keyLimit, options.keyLimit);
    for (const [code, type] of options.types.entries())
      this.#bytes[layout.layouts + code] = kernelLayout(type);
  }

  /** The key at which the kernel has stopped. */
  #describe(window: ShownBytes, record: RdbRecord, { types }: KeysOptions): void {
    const told = (place: number): number => this.#numbers[place / 4]!;
    record.type = types[window.bytes[window.at]!]!;
    record.offset = window.offset;
    record.keyFrom = told(layout.keyFrom);
    record.keyBytes = told(layout.keyBytes);
    record.keyTo = record.keyFrom + record.keyBytes;
    record.elements = told(layout.elements) >>> 0;
    record.valueBytes = told(layout.valueEnd) - record.keyTo;
    record.plainBytes = record.valueBytes + told(layout.saved);
    record.strings = told(layout.stringsRead);
    record.longest = told(layout.longest);
    record.integer = told(layout.integer) === 1;
  }

  #setNumber(place: number, value: number): void {
    this.#numbers[place / 4] = value;
  }
}
