import { randomBytes } from 'node:crypto';

/** Two words that nobody can guess. */
export function randomWords(): { high: number; low: number } {
  const bytes = randomBytes(8);
  return { high: bytes.readInt32LE(0), low: bytes.readInt32LE(4) };
}
