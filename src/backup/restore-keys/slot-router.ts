import { keySlot } from '../../formats/cluster/key-slot.ts';
import { clusterSlots } from '../../formats/cluster/slots.ts';
import type { SlotRange } from '../../domain/backup.ts';
import type { RdbError, RdbHandler, RdbRecord, TokenSink, ValueWish } from '../../formats/rdb/rdb-handler.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';

/** What is read to: a writer or a surveyor of one node. */
export interface NodeHandler extends RdbHandler {
  readonly sink: TokenSink;
  now: number;
  readonly failure: Error | undefined;
  /** See KeyWriter. */
  leavesOut?(error: RdbError): boolean;
}

/** Hands each record to the handler of the node that has its slot. */
export class SlotRouter<Handler extends NodeHandler> implements RdbHandler {
  readonly sink: TokenSink;
  readonly #handlers: readonly Handler[];
  readonly #owners: Uint16Array;
  #current: Handler;

  /** `asking`: slots that a node has other than by its ranges, since they are on their way to it. */
  constructor(
    nodes: readonly { handler: Handler; slots: readonly SlotRange[]; asking: ReadonlySet<number> }[],
  ) {
    this.#handlers = nodes.map(({ handler }) => handler);
    const [first] = this.#handlers;
    if (first === undefined) throw new Error('a cluster without nodes');
    this.#current = first;
    this.#owners = new Uint16Array(clusterSlots);
    for (const [index, { slots }] of nodes.entries())
      for (const [from, to] of slots) this.#owners.fill(index, from, to + 1);
    for (const [index, { asking }] of nodes.entries()) for (const slot of asking) this.#owners[slot] = index;
    this.sink = this.#routed(first.sink);
  }

  get now(): number {
    return this.#current.now;
  }

  set now(now: number) {
    for (const handler of this.#handlers) handler.now = now;
  }

  get failure(): Error | undefined {
    return this.#handlers.find(({ failure }) => failure !== undefined)?.failure;
  }

  start(version: RdbVersion): void {
    for (const handler of this.#handlers) handler.start?.(version);
  }

  aux(name: string, value: string): void {
    for (const handler of this.#handlers) handler.aux?.(name, value);
  }

  /** They are of no slot, and of every node: the first takes note for all. */
  functions(code: Uint8Array, bytes: number): void {
    this.#handlers[0]?.functions?.(code, bytes);
  }

  wish(record: RdbRecord): ValueWish {
    const { bytes, keyFrom, keyTo } = record;
    this.#current = this.#handlers[this.#owners[keySlot(bytes, keyFrom, keyTo)] ?? 0] ?? this.#current;
    return this.#current.wish?.(record) ?? 'skip';
  }

  record(record: RdbRecord, raw?: Uint8Array | null): void {
    this.#current.record?.(record, raw);
  }

  /** Each passes over what was read before. */
  leavesOut(error: RdbError): boolean {
    return this.#handlers.filter((handler) => handler.leavesOut?.(error) === true).length > 0;
  }

  #routed(first: TokenSink): TokenSink {
    const to = (): TokenSink => this.#current.sink;
    return {
      begin: (record) => to().begin(record),
      string: (bytes) => to().string(bytes),
      piece: first.piece && ((bytes) => to().piece?.(bytes)),
      skipped: (bytes) => to().skipped(bytes),
      number: (value) => to().number(value),
      bytes8: (bytes) => to().bytes8(bytes),
      bytes16: (bytes) => to().bytes16(bytes),
      end: (record) => to().end(record),
    };
  }
}
