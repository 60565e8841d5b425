import { createHash } from 'node:crypto';

/** As the server hashes passwords: SHA-256, lower-case hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
