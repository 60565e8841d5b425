import { createHash } from 'node:crypto';
import type { Digest } from '../../domain/backup.ts';
import { RdbCheck, type CheckOptions, type RdbVerdict } from '../../formats/rdb/rdb-check.ts';

/** What both directions learn from a dump's plain bytes as they pass: length, SHA-256, and whether it is sound. */
export class PlainCheck {
  readonly #hash = createHash('sha256');
  readonly #rdb: RdbCheck;
  bytes = 0;

  /** `bytes`: how long it should be. */
  constructor(bytes: number, options: CheckOptions = {}) {
    this.#rdb = new RdbCheck(bytes, options);
  }

  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#rdb.update(chunk);
    this.bytes += chunk.length;
  }

  /** Once, at the end. */
  finish(): { digest: Digest; rdb: RdbVerdict } {
    return { digest: { bytes: this.bytes, sha256: this.#hash.digest('hex') }, rdb: this.#rdb.finish() };
  }
}
