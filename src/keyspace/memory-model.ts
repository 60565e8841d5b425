import type { RdbRecord } from '../formats/rdb/rdb-handler.ts';
import type { RdbVersion } from '../formats/rdb/rdb-version.ts';

/** What differs between servers in what a key takes. */
export interface MemoryModel {
  /**
   * Valkey 8.1 and later: a key is part of its object, and sets, hashes and sorted sets are tables of buckets. Before,
   * and in Redis: a key is a string of its own behind an entry, and tables chain entries.
   */
  embedsKeys: boolean;
  /** A string is part of its object up to so many bytes, all counted; Redis has a limit on the string's length. */
  embedLimit: number;
  /** Bytes of an object that holds its string: Valkey 9 has no pointer in it. */
  embedHeader: number;
  /** A sorted set's member is part of its node in the skip list. */
  embedsMembers: boolean;
  /** A short list is one listpack and nothing around it. */
  packsLists: boolean;
}

const dictionaries = {
  embedsKeys: false,
  embedLimit: 64,
  embedHeader: 16,
  embedsMembers: false,
} as const;
const models = {
  early: { ...dictionaries, packsLists: false },
  redis: { ...dictionaries, packsLists: true },
  valkey8: {
    embedsKeys: true,
    embedLimit: 64,
    embedHeader: 16,
    embedsMembers: false,
    packsLists: true,
  },
  valkey9: {
    embedsKeys: true,
    embedLimit: 128,
    embedHeader: 8,
    embedsMembers: true,
    packsLists: true,
  },
} satisfies Record<string, MemoryModel>;

/**
 * The model of the server that wrote a file of this version. `valkey`: the file's field `valkey-ver`, since Valkey 8
 * writes the same version as Redis 7.2, and so does Valkey 9 for whoever asks it for a dump as older replicas do.
 */
export function memoryModelFor({ engine, version }: RdbVersion, valkey = ''): MemoryModel {
  if (engine === 'valkey') return models.valkey9;
  const [major = 0, minor = 0] = valkey.split('.').map(Number);
  if (major > 8) return models.valkey9;
  if (major === 8 && minor >= 1) return models.valkey8;
  return version >= 11 ? models.redis : models.early;
}

/** Bytes of the servers' structures on 64-bit machines. */
const object = 16;
const dictEntry = 24;
const dict = 56;
const hashtable = 80;
const expiry = 8;
/** Around a sorted set: itself, the skip list, and its first node, which has all levels. */
const skiplist = 16 + 32 + 640;
const shorterSkiplist = 16 + 32 + 496;
/** What the levels of a node beyond its first take on average: 16 bytes with a chance of a quarter each. */
const levels = 16 / 3;
/** Valkey keeps a hash's value with its field up to so many bytes of both. */
const pairLimit = 128;
const pointer = 8;
const quicklist = 40;
const quicklistNode = 32;
const nodeBytes = 8192;

/**
 * Bytes of memory that a key takes in a server that has just loaded it, as MEMORY USAGE (SAMPLES 0) would say: key,
 * object and value, without a share of the database's own tables, which is 16 to 40 bytes a key more.
 *
 * Against Redis 6.0, 7.0, 8.0 and Valkey 8.1, 9.1 (scripts/calibrate/memory-model.ts) a key is right to 25 %, and a
 * mixed data set to 5 %. Strings, and whatever is packed, are exact from Redis 7 on but for integers of more than ten
 * digits, which a file does not tell from text (up to 32 bytes too much). What a table's strings take is known by their
 * mean and longest only. Out of sight: entries that consumer groups have not acknowledged (Redis counts some 550 bytes
 * each), modules' values, and a stream's last node, for which a server that writes to it keeps 4 KiB. Later servers
 * than these were not measured.
 */
export function estimateMemory(record: RdbRecord, model: MemoryModel): number {
  if (record.type.layout === 'string') return stringKey(record, model);
  const key = model.embedsKeys
    ? wholeClass(object + embeddedKey(record))
    : dictEntry + object + text(record.keyBytes);
  return key + valueBytes(record, model);
}

function valueBytes(record: RdbRecord, model: MemoryModel): number {
  switch (record.type.layout) {
    case 'blob':
      return wholeClass(record.longest);
    case 'expiring-blob':
      return 40 + sizeClass(record.longest);
    case 'strings':
      return record.type.data === 'set' ? setBytes(record, model) : listBytes(record, model);
    case 'blobs':
    case 'containers':
      return listBytes(record, model);
    case 'pairs':
      return hashBytes(record, model, 0);
    case 'expiring-pairs':
      return hashBytes(record, model, 24);
    case 'pairs-expiring':
      // a list of the fields in order of their times, or a tree of tables
      return hashBytes(record, model, expiry) + record.elements * (record.elements < 128 ? 9 : 18);
    case 'scored':
    case 'scored-text':
      return zsetBytes(record, model);
    case 'stream':
      return streamBytes(record, model);
    case 'string':
    case 'module':
      break;
  }
  return record.plainBytes;
}

function stringKey(record: RdbRecord, model: MemoryModel): number {
  const { longest, integer } = record;
  if (!model.embedsKeys) {
    const key = dictEntry + text(record.keyBytes);
    if (integer) return key + object;
    return key + (longest <= 44 ? wholeClass(object + 4 + longest) : object + text(longest));
  }
  const key = embeddedKey(record);
  if (integer) return wholeClass(object + key);
  const whole = model.embedHeader + key + 4 + longest;
  return whole <= model.embedLimit ? wholeClass(whole) : wholeClass(object + key) + text(longest);
}

/** A key in its object: one byte that says where, the string, and a time, for which long keys have room anyhow. */
function embeddedKey({ keyBytes, expiresAt }: RdbRecord): number {
  return 1 + textBytes(keyBytes) + (expiresAt >= 0 || keyBytes >= 128 ? expiry : 0);
}

function setBytes(record: RdbRecord, model: MemoryModel): number {
  return tableBytes(record.elements, model) + record.elements * meanText(record, record.plainBytes);
}

function hashBytes(record: RdbRecord, model: MemoryModel, extra: number): number {
  const { elements, plainBytes, longest } = record;
  const around = tableBytes(elements, model);
  if (!model.embedsKeys) return around + elements * (2 * meanText(record, plainBytes) + extra);
  const mean = meanLength(record, plainBytes - elements * extra);
  const field = 1 + textBytes(mean) + extra;
  const pair = field + textBytes(mean);
  const spread = longest - mean;
  const entry =
    pair <= pairLimit
      ? meanClass(pair, pair + spread)
      : meanClass(pointer + field, pointer + field + spread) + meanClass(textBytes(mean), textBytes(longest));
  return around + elements * entry;
}

function zsetBytes(record: RdbRecord, model: MemoryModel): number {
  const { elements } = record;
  const strings = record.plainBytes - elements * 8;
  const member = model.embedsMembers
    ? meanClass(33 + textBytes(meanLength(record, strings)), 33 + textBytes(record.longest))
    : 48 + meanText(record, strings);
  return (
    (model.embedsMembers ? shorterSkiplist : skiplist) +
    tableBytes(elements, model) +
    elements * (member + levels)
  );
}

function listBytes({ type, strings, longest, plainBytes }: RdbRecord, model: MemoryModel): number {
  // an early file has the elements one by one, which are packed when they are loaded
  if (type.layout === 'strings')
    return quicklist + plainBytes + quicklistNode * Math.ceil(plainBytes / nodeBytes);
  if (strings === 1 && model.packsLists && longest <= nodeBytes) return sizeClass(longest);
  const mean = strings <= 1 ? longest : plainBytes / strings - 3;
  return quicklist + strings * (quicklistNode + meanClass(mean, longest));
}

function streamBytes({ strings, plainBytes }: RdbRecord, model: MemoryModel): number {
  // a node is two strings: its first entry's id and its listpack
  const nodes = Math.max(1, strings / 2);
  return plainBytes + (model.embedsKeys ? 227 * nodes - 98 : 766 * nodes - 196);
}

/** What a set or hash of so many elements takes without their strings. */
function tableBytes(elements: number, model: MemoryModel): number {
  if (!model.embedsKeys) return dict + elements * dictEntry + 8 * powerOfTwo(Math.max(4, elements));
  // buckets hold seven; those that get more chain another of the same size, the more the fuller the table is
  const buckets = powerOfTwo((elements * 5) / 32);
  const chained = 0.87 * Math.max(0, elements / buckets - 2.9) * elements;
  return hashtable + 64 * buckets + chained;
}

/** Bytes of an average string of the record in memory of its own, when all of them take `bytes` in the file. */
function meanText(record: RdbRecord, bytes: number): number {
  const mean = meanLength(record, bytes);
  // four bytes may be an integer, which has up to eleven digits
  if (record.longest <= 4) return mean > 3 ? 12 : 8;
  return meanClass(textBytes(mean), textBytes(record.longest));
}

/** Length of an average string, without the count of all and the length before each; compressed ones have more. */
function meanLength({ elements, strings, longest }: RdbRecord, bytes: number): number {
  if (strings === 0) return 0;
  const mean = (bytes - lengthBytes(elements)) / strings;
  return Math.min(longest, mean - lengthBytes(mean));
}

/** What a number takes in the file. */
function lengthBytes(number: number): number {
  return number < 65 ? 1 : number < 16_386 ? 2 : 5;
}

/** What strings take that are `mean` bytes long on average and `longest` at most. */
function meanClass(mean: number, longest: number): number {
  const shortest = 2 * mean - longest;
  if (shortest > 0) return (sizeClass(shortest) + 2 * sizeClass(mean) + sizeClass(longest)) / 4;
  // of all lengths: half of a class is unused on average
  return mean + (mean <= 128 ? 8 : mean / 12);
}

/** A string with its header, its length, in memory of its own. */
function text(length: number): number {
  return wholeClass(textBytes(length));
}

/** A string's header, itself and a zero byte (sds). */
function textBytes(length: number): number {
  return length + (length < 32 ? 2 : length < 256 ? 4 : length < 65_536 ? 6 : 10);
}

/** The classes of small sizes, which most are. */
export const smallClasses = Uint16Array.from({ length: 1024 }, (_, bytes) => sizeClass(bytes));

/** The same as `sizeClass` for a whole number of bytes. */
function wholeClass(bytes: number): number {
  return bytes < smallClasses.length ? smallClasses[bytes]! : sizeClass(bytes);
}

/** What jemalloc gives for so many bytes: multiples of 16, from 128 on four steps to each doubling. */
function sizeClass(bytes: number): number {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (Math.ceil(bytes) + 15) & -16;
  if (bytes > 2 ** 30) return bytes;
  const whole = Math.ceil(bytes);
  const step = 1 << (29 - Math.clz32(whole - 1));
  return (whole + step - 1) & -step;
}

/** The smallest that is not less. */
function powerOfTwo(number: number): number {
  return number > 2 ** 30 ? 2 ** Math.ceil(Math.log2(number)) : 1 << (32 - Math.clz32(Math.ceil(number) - 1));
}
