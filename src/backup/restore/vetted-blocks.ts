import { createHash, hash, type Hash } from 'node:crypto';
import { AgentError } from '../../domain/errors.ts';

/** What is compared, and held back, at a time. */
const blockBytes = 1024 * 1024;

/** SHA-256 of each block of a stream that was looked through; the last block may be shorter. */
export type BlockDigests = readonly Buffer[];

/** Notes what went by, so that a second reading of the same can be held to it. */
export class BlockRecorder {
  readonly #digests: Buffer[] = [];
  #hash: Hash = createHash('sha256');
  #filled = 0;

  /** Does not keep `chunk`. */
  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + blockBytes - this.#filled);
      this.#hash.update(part);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === blockBytes) this.#close();
    }
  }

  /** Once, at the end. */
  finish(): BlockDigests {
    if (this.#filled > 0) this.#close();
    return this.#digests;
  }

  #close(): void {
    this.#digests.push(this.#hash.digest());
    this.#hash = createHash('sha256');
    this.#filled = 0;
  }
}

/**
 * Passes on a second reading block by block, each only after it has been found to be what it was the first time, and the
 * last one only when the stream has come to its own good end. A block is valid until the next one is asked for. Throws an
 * AgentError `damaged` at the first difference.
 */
export async function* vetted(
  chunks: AsyncIterable<Uint8Array>,
  digests: BlockDigests,
): AsyncGenerator<Uint8Array, void, void> {
  const block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  let index = 0;
  const vet = (): Uint8Array => {
    const bytes = block.subarray(0, filled);
    const known = digests[index];
    if (known === undefined || !known.equals(hash('sha256', bytes, 'buffer'))) throw changed();
    filled = 0;
    index += 1;
    return bytes;
  };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      if (filled === blockBytes) yield vet();
      const part = chunk.subarray(at, at + blockBytes - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  if (index + 1 !== digests.length || filled === 0) throw changed();
  yield vet();
}

function changed(): AgentError {
  return new AgentError('damaged', 'the backup is not what it was when it was verified a moment ago', {
    reason: 'changed',
    hint: 'something writes to the repository: find out what before restoring from it',
  });
}
