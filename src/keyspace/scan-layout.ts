// What the kernel and those who use it agree on: AssemblyScript and TypeScript read this file alike.

// How a type's values are read; 0: not at all.
export const string = 1;
export const packed = 2; // one string with all elements
export const set = 3; // a count, then members
export const hash = 4; // fields and values
export const zset = 5; // members with eight bytes each
export const list = 6; // nodes: a kind and one string, bare or packed
export const earlyList = 7; // nodes: one packed string

// What packs elements; 0: what is not read.
export const listpack = 1;
export const ziplist = 2;
export const intset = 3;

// Places in memory. Of every type by its code, as u8 …
export const layouts = 0;
export const packings = 256;
export const entries = 512; // that make one element
export const rows = 768; // of `tallies`; of strings the first of three: integer, embedded, raw
export const dataTypes = 1024; // bits of `types`
// … and as f64, two of each: keys that were counted, and those of them that expire.
export const counts = 2048;
/** u16: what an allocator gives for so many bytes below 1024. */
export const classes = 6144;
// f64: what histograms are divided by, of each seven at most and behind them Infinity.
export const timeBounds = 8192;
export const idleBounds = 8256;
export const frequencyBounds = 8320;

// Numbers that the caller sets, u32 …
export const keyLimit = 8384; // bytes of a name; longer ones are not read
export const separator = 8388; // a byte
export const levels = 8392; // how many segments make a prefix
export const embedsKeys = 8396; // this and what follows: see ../memory-model.ts
export const embedLimit = 8400;
export const embedHeader = 8404;
export const embedsMembers = 8408;
export const packsLists = 8412;
// … where the tables are that keys are added to, u32 …
export const tallies = 8416; // f64[][6]: keys, elements, bytes, memory, expiring, their bytes
export const sizes = 8420; // f64[][2]: keys and bytes, by powers of four
export const times = 8424; // f64[][2]: by `timeBounds`
export const idles = 8428; // f64[][2]: by `idleBounds`
export const frequencies = 8432; // f64[][2]: by `frequencyBounds`
export const slots = 8436; // these and what follows: see ../prefix-sums.ts
export const slotMask = 8440;
export const places = 8444;
export const first = 8448;
export const second = 8452;
export const stars = 8456;
export const literal = 8460;
export const sums = 8464;
export const types = 8468;
// … and f64.
export const memoryFloor = 8472; // keys above one of these three are for the caller
export const bytesFloor = 8480;
export const elementsFloor = 8488;
export const measuredFrom = 8496; // milliseconds

// What was read of the key that is next, before and after reading, f64; -1: nothing.
export const expiresAt = 8504;
export const idle = 8512;
export const frequency = 8520;

// What is told when reading has stopped, u32.
export const read = 8528; // how many keys were counted
export const isKey = 8532; // 1: the key at which it stopped is for the caller, and this is what RdbRecord has of it
export const keyFrom = 8536;
export const keyBytes = 8540;
export const valueEnd = 8544;
export const elements = 8548;
export const stringsRead = 8552;
export const longest = 8556;
export const saved = 8560; // by compression
export const integer = 8564;

/** The first byte that is free. */
export const top = 8568;
