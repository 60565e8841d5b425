import { clusterSlots } from './slots.ts';

/** CRC16 as clusters use it: polynomial 0x1021, from 0, nothing reflected. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 0x8000) === 0 ? sum << 1 : (sum << 1) ^ 0x1021;
  return sum;
});

const [opening, closing] = [0x7b, 0x7d];

/** The slot of the key `bytes[from … to)`: of what stands between its first `{` and the next `}`, if that is anything. */
export function keySlot(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const open = bytes.subarray(from, to).indexOf(opening);
  if (open < 0) return slotOf(bytes, from, to);
  const start = from + open + 1;
  const length = bytes.subarray(start, to).indexOf(closing);
  return length > 0 ? slotOf(bytes, start, start + length) : slotOf(bytes, from, to);
}

function slotOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum = ((sum << 8) & 0xffff) ^ table[(sum >> 8) ^ bytes[at]!]!;
  return sum % clusterSlots;
}

let tags: string[] | undefined;

/** What to put before any name, `{…}`, so that it is a key of this slot. */
export function slotTag(slot: number): string {
  tags ??= makeTags();
  return tags[slot] ?? '';
}

function makeTags(): string[] {
  const found: string[] = [];
  for (let number = 0, left = clusterSlots; left > 0; number++) {
    const text = number.toString(36);
    const slot = keySlot(Buffer.from(text));
    if (found[slot] !== undefined) continue;
    found[slot] = `{${text}}`;
    left--;
  }
  return found;
}
