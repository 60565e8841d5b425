import { createHash } from 'node:crypto';
import type { Digest } from '../../domain/backup.ts';

/** What is hashed and looked at at once: small enough to be still in the core's own cache for the next of them. */
const strideBytes = 256 * 1024;

/** Looks at plain bytes as they pass: RdbCheck, AofArchiveCheck. */
export interface ContentCheck<Verdict> {
  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void;
  /** Once, at the end. */
  finish(): Verdict;
}

/** What both directions learn from an artefact's plain bytes as they pass: length, SHA-256, and whether it is sound. */
export class PlainCheck<Verdict> {
  readonly #hash = createHash('sha256');
  readonly #content: ContentCheck<Verdict>;
  bytes = 0;

  constructor(content: ContentCheck<Verdict>) {
    this.#content = content;
  }

  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += strideBytes) {
      const part = chunk.subarray(at, at + strideBytes);
      this.#hash.update(part);
      this.#content.update(part);
    }
    this.bytes += chunk.length;
  }

  /** Once, at the end. */
  finish(): { digest: Digest; verdict: Verdict } {
    return {
      digest: { bytes: this.bytes, sha256: this.#hash.digest('hex') },
      verdict: this.#content.finish(),
    };
  }
}
