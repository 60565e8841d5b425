const wordBytes = 4;
const words = 4;
/** The longest that is kept, with the separator after it, in bytes. */
export const longestKnown = words * wordBytes;
const rowBits = 9;
const columns = 4 + 2 * words;
/** `depth`: how many segments it is; below 0 when they are known not to go on alike. `masks`: which bits of `words` count. */
const column = { length: 0, parent: 1, entry: 2, depth: 3, words: 4, masks: 4 + words } as const;

/**
 * Segments of names as they are in the file, separators included, and to which entry of PrefixSums they lead: names have
 * few of them, and to compare them is several times as fast as to find their ends, their hashes and their places. One
 * row for all below one entry that begin with the same letters: what was seen last, or what several have in common.
 * Names that were made to miss cost little more than they would without this.
 */
export class KnownSegments {
  readonly #rows = new Int32Array(columns << rowBits);
  #row = 0;
  /** Of what `find` found: bytes, and segments. */
  length = 0;
  depth = 0;

  /** The entry of what is next, below that one; 0: not known. Reads `longestKnown` bytes, whatever `end` is. */
  find(view: DataView, from: number, end: number, parent: number): number {
    const rows = this.#rows;
    const one = view.getInt32(from, true);
    const two = view.getInt32(from + wordBytes, true);
    const row = rowOf(one, two, parent) * columns;
    this.#row = row;
    // Without a branch that depends on the name: it would be guessed wrong half of the time.
    const others =
      (rows[row + column.parent]! ^ parent) |
      ((one ^ rows[row + column.words]!) & rows[row + column.masks]!) |
      ((two ^ rows[row + column.words + 1]!) & rows[row + column.masks + 1]!) |
      ((view.getInt32(from + 8, true) ^ rows[row + column.words + 2]!) & rows[row + column.masks + 2]!) |
      ((view.getInt32(from + 12, true) ^ rows[row + column.words + 3]!) & rows[row + column.masks + 3]!);
    const length = rows[row]!;
    if (others !== 0 || from + length > end) return 0;
    this.length = length;
    this.depth = Math.abs(rows[row + column.depth]!);
    return rows[row + column.entry]!;
  }

  /**
   * Keeps what was looked for last and not found, so many bytes and segments, if it is not long. A longer one that begins with them is
   * cut to them; they replace a shorter one, unless it has been cut.
   */
  learn(view: DataView, from: number, length: number, parent: number, entry: number, depth: number): void {
    const rows = this.#rows;
    const row = this.#row;
    const kept = rows[row]!;
    const alike = rows[row + column.parent] === parent && this.#isAt(view, from, Math.min(kept, length));
    if (length > longestKnown || (alike && kept <= length && rows[row + column.depth]! < 0)) return;
    rows[row + column.length] = length;
    rows[row + column.parent] = parent;
    rows[row + column.entry] = entry;
    rows[row + column.depth] = alike && kept > length ? -depth : depth;
    for (let word = 0; word < words; word++) {
      rows[row + column.words + word] = view.getInt32(from + word * wordBytes, true);
      rows[row + column.masks + word] = maskOf(length - word * wordBytes);
    }
  }

  #isAt(view: DataView, from: number, length: number): boolean {
    const rows = this.#rows;
    for (let word = 0; word < words; word++) {
      const other = view.getInt32(from + word * wordBytes, true) ^ rows[this.#row + column.words + word]!;
      if ((other & maskOf(length - word * wordBytes)) !== 0) return false;
    }
    return true;
  }

  /** Entries have moved. */
  clear(): void {
    this.#rows.fill(0);
  }
}

/** The bits of so many bytes of a word. */
function maskOf(bytes: number): number {
  if (bytes >= wordBytes) return -1;
  return bytes <= 0 ? 0 : (1 << (8 * bytes)) - 1;
}

/** By the letters that the segment begins with, eight at most: what follows varies. */
function rowOf(one: number, two: number, parent: number): number {
  const first = lettersOf(one);
  const second = first === -1 ? two & lettersOf(two) : 0;
  const hash = Math.imul((one & first) ^ Math.imul(second ^ parent, 0x85ebca6b), 0x9e3779b1);
  return hash >>> (32 - rowBits);
}

/** The bits of all bytes before the first without 0x40, which letters have and digits and most separators do not. */
function lettersOf(word: number): number {
  const others = ~word & 0x40404040;
  return ((others & -others) >>> 6) - 1;
}
