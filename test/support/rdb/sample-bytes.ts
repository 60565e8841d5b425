import { randomNumbers } from './style.ts';

/** What strings are made of: bytes that do not compress, words that do, one letter, digits. */
export type Texture = 'noise' | 'words' | 'letter' | 'digits';

/** The same for the same arguments. */
export function sampleBytes(length: number, texture: Texture, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  const random = randomNumbers(seed * 31 + length);
  if (texture === 'letter') return bytes.fill(97 + (seed % 26));
  if (texture === 'digits')
    return Buffer.from(bytes.map((_, at) => (at === 0 ? 49 : 48) + Math.floor(random() * 9)));
  if (texture === 'noise') return Buffer.from(bytes.map(() => Math.floor(random() * 256)));
  const words = ['alpha ', 'beta ', 'gamma ', 'delta '];
  for (let at = 0; at < length;) at += bytes.write(words[Math.floor(random() * 4)] ?? '', at, 'latin1') || 1;
  return bytes;
}

/** Whole numbers at the edges of every form that packs them. */
export const edgeIntegers: readonly bigint[] = [
  0n,
  1n,
  12n,
  13n,
  127n,
  128n,
  4095n,
  4096n,
  32_767n,
  32_768n,
  8_388_607n,
  8_388_608n,
  2_147_483_647n,
  2_147_483_648n,
  9_223_372_036_854_775_807n,
].flatMap((edge) => [edge, -edge - 1n]);

/**
 * String lengths at the edges of every form that holds one. Not 16378: with it an entry of a listpack has 16383 bytes,
 * for which Valkey 9 writes a shorter length behind it than all others do, and refuses theirs.
 */
export const edgeLengths: readonly number[] = [
  0, 1, 3, 11, 20, 21, 22, 44, 45, 62, 63, 64, 65, 125, 126, 127, 128, 253, 254, 255, 256, 264, 4094, 4095,
  4096, 8191, 8192, 8193, 16_377, 16_379, 16_383, 16_384, 16_385,
];
