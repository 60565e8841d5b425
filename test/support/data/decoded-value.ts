import type { ElementSink, PassedOver, StreamId } from '../../../src/formats/rdb/element-sink.ts';
import type { RdbRecord } from '../../../src/formats/rdb/rdb-handler.ts';
import { LoneValueReader } from '../../../src/formats/rdb/lone-value.ts';
import type { Engine } from '../../../src/formats/rdb/rdb-version.ts';
import { ValueDecoder } from '../../../src/formats/rdb/value-decoder.ts';
import { typesOf, type ValueType } from '../../../src/formats/rdb/value-types.ts';

/** Bytes are strings of as many characters (latin1), so that they can be compared and shown. */
export interface DecodedStream {
  entries: [id: string, ...fields: string[]][];
  length: number;
  lastId: string;
  firstId: string | undefined;
  maxDeletedId: string | undefined;
  entriesAdded: number | undefined;
  groups: DecodedGroup[];
}

export interface DecodedGroup {
  name: string;
  lastId: string;
  entriesRead: number | undefined;
  pending: [id: string, deliveredAt: number, deliveries: number][];
  consumers: { name: string; seenAt: number; activeAt: number | undefined; pending: string[] }[];
}

/** All that a sink was given of one value. */
export interface DecodedValue {
  string?: string;
  items: string[];
  /** In the order of the file, as are items and members. */
  fields: [field: string, value: string, expiresAt: number][];
  members: [member: string, score: number][];
  stream?: DecodedStream;
  /** Lengths of what was too long. */
  skipped: number[];
  /** What servers live with. Only where there is something. */
  passedOver?: PassedOver[];
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const idText = ({ ms, seq }: StreamId): string => `${ms}-${seq}`;

/** A sink that keeps everything, and what it kept. */
function collector(): { sink: ElementSink; value: DecodedValue } {
  const value: DecodedValue = { items: [], fields: [], members: [], skipped: [] };
  const entries: DecodedStream['entries'] = [];
  const groups: DecodedGroup[] = [];
  const sink: ElementSink = {
    string: (bytes) => (value.string = text(bytes)),
    item: (bytes) => value.items.push(text(bytes)),
    field: (field, held, expiresAt) => value.fields.push([text(field), text(held), expiresAt]),
    member: (member, score) => value.members.push([text(member), score]),
    entry: (id, fields) => entries.push([idText(id), ...fields.map(text)]),
    stream: ({ length, lastId, firstId, maxDeletedId, entriesAdded }) => {
      value.stream = {
        entries,
        length,
        lastId: idText(lastId),
        firstId: firstId && idText(firstId),
        maxDeletedId: maxDeletedId && idText(maxDeletedId),
        entriesAdded: entriesAdded === undefined ? undefined : Number(entriesAdded),
        groups,
      };
    },
    group: ({ name, lastId, entriesRead }) =>
      groups.push({
        name: text(name),
        lastId: idText(lastId),
        entriesRead: entriesRead === undefined ? undefined : Number(entriesRead),
        pending: [],
        consumers: [],
      }),
    pending: ({ id, deliveredAt, deliveries }) =>
      groups.at(-1)?.pending.push([idText(id), deliveredAt, deliveries]),
    consumer: ({ name, seenAt, activeAt }) =>
      groups.at(-1)?.consumers.push({ name: text(name), seenAt, activeAt, pending: [] }),
    consumerPending: (id) => groups.at(-1)?.consumers.at(-1)?.pending.push(idText(id)),
    skipped: (bytes) => value.skipped.push(bytes),
    passedOver: (what) => (value.passedOver ??= []).push(what),
  };
  return { sink, value };
}

/** A value type by its code. */
export function typeOf(code: number, engine: Engine = 'redis'): ValueType {
  const type = typesOf(engine)[code];
  if (type === undefined) throw new Error(`${engine} has no type ${code}`);
  return type;
}

/** A record without a key, for a value alone. */
function recordOf(type: ValueType): RdbRecord {
  const key = { bytes: new Uint8Array(0), keyFrom: 0, keyTo: 0, keyBytes: 0 };
  const told = { expiresAt: -1, idle: -1, frequency: -1 };
  const learned = { elements: 0, valueBytes: 0, plainBytes: 0, strings: 0, longest: 0, integer: false };
  return { index: 0, offset: 0, database: 0, type, ...key, ...told, ...learned };
}

/** Decodes a value as it is in a file. Throws RdbError. */
export function decodeValue(type: ValueType, raw: Uint8Array, stringLimit = Infinity): DecodedValue {
  const { sink, value } = collector();
  new LoneValueReader(stringLimit).read(recordOf(type), raw, new ValueDecoder(sink));
  return value;
}

/** Checks a value without looking at it, as verification does. Throws RdbError. */
export function checkValue(type: ValueType, raw: Uint8Array): void {
  new LoneValueReader().read(recordOf(type), raw, new ValueDecoder());
}

/** Type and raw value of what DUMP gives: before its last ten bytes, version and CRC64. */
export function splitDump(payload: Uint8Array, engine: Engine): { type: ValueType; raw: Uint8Array } {
  return { type: typeOf(payload[0] ?? -1, engine), raw: payload.subarray(1, -10) };
}
