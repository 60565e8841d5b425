import * as fc from 'fast-check';
import { typesOf, type ValueType } from '../../../src/formats/rdb/value-types.ts';
import type { Engine } from '../../../src/formats/rdb/rdb-version.ts';
import { fits, integerOf } from './byte-sink.ts';
import type {
  Contents,
  FileItem,
  FileModel,
  KeyModel,
  ModulePart,
  StreamContents,
  StreamId,
} from './model.ts';
import { edgeIntegers, edgeLengths, sampleBytes, type Texture } from './sample-bytes.ts';
import { compareIds } from './stream-writer.ts';

type Arb<T> = fc.Arbitrary<T>;

const textures: readonly Texture[] = ['noise', 'words', 'letter', 'digits'];

/** Short ones, whole numbers at the edges, and lengths at the edges. */
const anyText: Arb<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom(...edgeIntegers).map((value) => Buffer.from(String(value))) },
  { weight: 1, arbitrary: fc.maxSafeInteger().map((value) => Buffer.from(String(value))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...edgeLengths), fc.constantFrom(...textures), fc.nat(9))
      .map(([length, texture, seed]) => sampleBytes(length, texture, seed)),
  },
);

const shortText: Arb<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.nat(70_000).map((value) => Buffer.from(String(value))),
);

/** Mostly a few; sometimes so many of the short ones that the count takes another form. */
function many<T>(
  make: (text: Arb<Uint8Array>) => Arb<T>,
  options: { key?: (item: T) => Uint8Array } = {},
): Arb<T[]> {
  const { key } = options;
  const of = (arb: Arb<T>, minLength: number, maxLength: number): Arb<T[]> =>
    key === undefined
      ? fc.array(arb, { minLength, maxLength })
      : fc.uniqueArray(arb, {
          minLength,
          maxLength,
          selector: (item) => Buffer.from(key(item)).toString('latin1'),
        });
  return fc.oneof(
    { weight: 8, arbitrary: of(make(anyText), 1, 6) },
    { weight: 2, arbitrary: of(make(shortText), 60, 70) },
  );
}

const anyScore: Arb<number> = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, Infinity, -Infinity, 0.1, 1e300, -1e-300, 2 ** 53),
);

const far = 4_102_444_800_000;
/** In 2100 and later, so that no server drops what expires. */
const anyTime = fc.integer({ min: far, max: far + 10 ** 12 });

const anyId: Arb<StreamId> = fc.oneof(
  fc.tuple(fc.bigInt({ min: 1n, max: 2000n }), fc.bigInt({ min: 0n, max: 5n })),
  fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
);
const anyIds = (maxLength: number, minLength = 0): Arb<StreamId[]> =>
  fc
    .uniqueArray(anyId, { minLength, maxLength, selector: (id) => id.join('-') })
    .map((ids) => ids.toSorted(compareIds));

const anyFields = fc.oneof(
  fc.constant([Buffer.from('event'), Buffer.from('user')] as Uint8Array[]),
  fc.array(shortText, { minLength: 1, maxLength: 4 }),
);

const anyEntries: Arb<StreamContents['entries']> = fc
  .tuple(
    anyIds(12),
    fc.array(fc.tuple(anyFields, fc.array(anyText, { minLength: 4, maxLength: 4 }), fc.nat(3)), {
      minLength: 12,
      maxLength: 12,
    }),
  )
  .map(([ids, rest]) =>
    ids.map((id, index) => {
      const [fields, values, luck] = rest[index] ?? [[], [], 0];
      return { id, fields, values: values.slice(0, fields.length), deleted: luck === 0 && index > 0 };
    }),
  );

const anyConsumers = fc
  .tuple(
    fc.uniqueArray(shortText, { maxLength: 3, selector: String }),
    anyIds(9),
    fc.array(fc.tuple(fc.nat(2), anyTime, fc.nat(70)), { minLength: 9, maxLength: 9 }),
  )
  .map(([names, ids, rest]) =>
    names.map((name, number) => ({
      name,
      seenAt: BigInt(rest[number]?.[1] ?? far),
      activeAt: number === 2 ? -1n : BigInt(rest[number]?.[1] ?? far),
      pending: ids.flatMap((id, index) => {
        const [owner, at, deliveries] = rest[index] ?? [0, far, 1];
        return owner === number ? [{ id, deliveredAt: BigInt(at), deliveries }] : [];
      }),
    })),
  );

const anyStream: Arb<StreamContents> = fc
  .record({
    entries: anyEntries,
    lastId: anyId,
    added: fc.bigInt({ min: 20n, max: 2n ** 62n }),
    groups: fc.uniqueArray(
      fc.record({
        name: shortText,
        lastId: anyId,
        read: fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.constant(2n ** 64n - 1n)),
        consumers: anyConsumers,
      }),
      { maxLength: 3, selector: ({ name }) => String(name) },
    ),
  })
  .map((stream) => {
    const last = stream.entries.at(-1)?.id ?? [0n, 0n];
    const lastId = compareIds(last, stream.lastId) > 0 ? last : stream.lastId;
    const maxDeletedId = stream.entries.findLast(({ deleted }) => deleted)?.id ?? ([0n, 0n] as const);
    return { ...stream, lastId, maxDeletedId };
  });

const anyModuleParts: Arb<ModulePart[]> = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constant('signed' as const),
      value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    }),
    fc.record({ op: fc.constant('unsigned' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ op: fc.constant('float' as const), value: fc.float({ noNaN: true }) }),
    fc.record({ op: fc.constant('double' as const), value: fc.double({ noNaN: true }) }),
    fc.record({ op: fc.constant('string' as const), bytes: anyText }),
  ),
  { maxLength: 6 },
);

const smallText = (limit: number): Arb<Uint8Array> => anyText.map((text) => text.subarray(0, limit));

const anyIntegers = many(
  (text) =>
    fc.oneof(
      fc
        .constantFrom(...edgeIntegers.filter((value) => fits(value, 64)))
        .map((value) => Buffer.from(String(value))),
      text.map((bytes) => (integerOf(bytes) === undefined ? Buffer.from(String(bytes.length)) : bytes)),
    ),
  { key: (item) => item },
);

/** Contents that a type can hold. */
export function contentsFor(type: ValueType): Arb<Contents> {
  const expires = type.entries === 3;
  const time = expires ? fc.option(anyTime, { nil: undefined }) : fc.constant(undefined);
  switch (type.data) {
    case 'string':
      return anyText.map((bytes) => ({ data: 'string', bytes }));
    case 'list':
      return many((text) => text).map((items) => ({ data: 'list', items }));
    case 'set': {
      const items = type.packing === 'intset' ? anyIntegers : many((text) => text, { key: (item) => item });
      return items.map((all) => ({ data: 'set', items: all }));
    }
    case 'zset':
      return many((text) => fc.tuple(text, anyScore), { key: ([member]) => member }).map((items) => ({
        data: 'zset',
        items,
      }));
    case 'hash':
      return many(
        (text) =>
          fc
            .tuple(text, text, time)
            .map(([field, value, at]): [Uint8Array, Uint8Array, number?] =>
              at === undefined ? [field, value] : [field, value, at],
            ),
        { key: ([field]) => field },
      ).map((items) => ({ data: 'hash', items }));
    case 'stream':
      return anyStream.map((stream) => ({ data: 'stream', stream }));
    case 'module':
      break;
  }
  return fc
    .tuple(fc.constantFrom('ReJSON-RL', 'MBbloom--'), fc.nat(1023), anyModuleParts)
    .map(([module, version, parts]) => ({ data: 'module', module, version, parts }));
}

/** The types that a version has. */
export function typesIn(engine: Engine, version: number): ValueType[] {
  return typesOf(engine).filter(
    (type): type is ValueType => type !== undefined && (type.since[engine] ?? Infinity) <= version,
  );
}

/** A key of one of these types. */
export function anyKey(types: readonly ValueType[], version: number): Arb<KeyModel> {
  const expiry = fc.option(
    fc.oneof(
      anyTime.map((at) => ({ at, unit: 'milliseconds' as const })),
      fc
        // Servers take them as signed.
        .integer({ min: 2_100_000_000, max: 2 ** 31 - 1 })
        .map((at) => ({ at: at * 1000, unit: 'seconds' as const })),
    ),
    { nil: undefined, freq: 3 },
  );
  const use =
    version < 9
      ? fc.constant({})
      : fc.oneof(
          fc.constant({}),
          fc.nat(100_000).map((idle) => ({ idle })),
          fc.nat(255).map((frequency) => ({ frequency })),
        );
  return fc.constantFrom(...types).chain((type) =>
    fc.tuple(smallText(20_000), contentsFor(type), expiry, use).map(([name, contents, until, used]) => ({
      kind: 'key' as const,
      name,
      code: type.code,
      contents,
      ...(until === undefined ? {} : { expiry: until }),
      ...used,
    })),
  );
}

/** What stands between keys. */
export function anyOther(engine: Engine, version: number): Arb<FileItem> {
  const others: Arb<FileItem>[] = [fc.nat(15).map((database) => ({ kind: 'database', database }))];
  if (version >= 7) {
    others.push(fc.tuple(shortText, anyText).map(([name, value]) => ({ kind: 'aux', name, value })));
    others.push(fc.tuple(fc.nat(), fc.nat()).map(([keys, expires]) => ({ kind: 'size', keys, expires })));
  }
  if (version >= 9)
    others.push(
      fc.tuple(fc.nat(1023), fc.constantFrom(1, 2), anyModuleParts).map(([number, when, parts]) => ({
        kind: 'module-aux',
        module: 'redisgear',
        version: number,
        when,
        parts,
      })),
    );
  if (version >= 10) others.push(anyText.map((code) => ({ kind: 'functions', code })));
  if (version >= 11)
    others.push(fc.nat(16_383).map((slot) => ({ kind: 'slot-info', slot, keys: 3, expires: slot })));
  if (engine === 'valkey' && version >= 80)
    others.push(
      fc
        .tuple(shortText, fc.array(fc.tuple(fc.nat(16_383), fc.nat(16_383)), { maxLength: 3 }))
        .map(([job, ranges]) => ({ kind: 'slot-import', job, ranges })),
    );
  return fc.oneof(...others);
}

export const versions: readonly { engine: Engine; version: number }[] = [
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((version) => ({ engine: 'redis' as const, version })),
  { engine: 'valkey', version: 80 },
];

/** Any file of any version. */
export const anyFile: Arb<FileModel> = fc.constantFrom(...versions).chain(({ engine, version }) =>
  fc.record({
    engine: fc.constant(engine),
    version: fc.constant(version),
    checksum: fc.boolean(),
    items: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: anyKey(typesIn(engine, version), version) },
        { weight: 1, arbitrary: anyOther(engine, version) },
      ),
      { maxLength: 8 },
    ),
  }),
);
