import { createHash } from 'node:crypto';
import type { Digest } from '../../domain/backup.ts';
import { RdbCheck, type RdbVerdict } from '../../formats/rdb/rdb-check.ts';
import type { RdbHandler } from '../../formats/rdb/rdb-handler.ts';

/** What both directions learn from a dump's plain bytes as they pass: length, SHA-256, and whether it is sound. */
export class PlainCheck {
  readonly #hash = createHash('sha256');
  readonly #rdb: RdbCheck;
  bytes = 0;

  /** `bytes`: how long it should be. `listener` gets what is read of it. */
  constructor(bytes: number, listener?: RdbHandler) {
    this.#rdb = new RdbCheck(bytes, listener);
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
