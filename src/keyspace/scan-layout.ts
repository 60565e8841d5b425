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
/** f64: seconds, eight at most. */
export const ttlBounds = 8192;

// Numbers that the caller sets, u32 …
export const ttlCount = 8256;
export const keyLimit = 8260; // bytes of a name; longer ones are not read
export const separator = 8264; // a byte
export const levels = 8268; // how many segments make a prefix
export const embedsKeys = 8272; // this and what follows: see ../memory-model.ts
export const embedLimit = 8276;
export const embedHeader = 8280;
export const embedsMembers = 8284;
export const packsLists = 8288;
// … where the tables are that keys are added to, u32 …
export const tallies = 8292; // f64[][6]: keys, elements, bytes, memory, expiring, their bytes
export const sizes = 8296; // f64[][2]: keys and bytes, by powers of four
export const times = 8300; // f64[][2]: by `ttlBounds`
export const slots = 8304; // these and what follows: see ../prefix-sums.ts
export const slotMask = 8308;
export const places = 8312;
export const first = 8316;
export const second = 8320;
export const stars = 8324;
export const literal = 8328;
export const sums = 8332;
export const types = 8336;
// … and f64.
export const memoryFloor = 8344; // keys above one of these three are for the caller
export const bytesFloor = 8352;
export const elementsFloor = 8360;
export const measuredFrom = 8368; // milliseconds

// What is told when reading has stopped: f64 …
export const expiresAt = 8376; // when the key that is next does; -1: never
// … and u32.
export const read = 8384; // how many keys were counted
export const isKey = 8388; // 1: the key at which it stopped is for the caller, and this is what RdbRecord has of it
export const keyFrom = 8392;
export const keyBytes = 8396;
export const valueEnd = 8400;
export const elements = 8404;
export const stringsRead = 8408;
export const longest = 8412;
export const saved = 8416; // by compression
export const integer = 8420;

/** The first byte that is free. */
export const top = 8424;
