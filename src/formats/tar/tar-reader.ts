import { AgentError } from '../../domain/errors.ts';
import { blockBytes, parseTarHeader, type TarEntry } from './tar-header.ts';

/** What comes next in an archive: a file begins, or some of its bytes. */
export type TarPart = { entry: TarEntry; data?: undefined } | { entry?: undefined; data: Uint8Array };

/** Two blocks of zeros end an archive. */
const endBlocks = 2;

/**
 * Reads an archive of regular files as it streams by, whatever the chunks, in memory that does not depend on them. Names
 * are whatever the archive says: whoever writes files by them judges them first.
 */
export class TarReader {
  readonly #header = Buffer.alloc(blockBytes);
  #filled = 0;
  /** Bytes of the current file that are still to come, then those that fill its last block. */
  #left = 0;
  #padding = 0;
  #zeroBlocks = 0;

  /** Data is valid until the next part is asked for. Throws an AgentError `damaged` for what is no such archive. */
  *read(chunk: Uint8Array): Generator<TarPart, void, void> {
    for (let at = 0; at < chunk.length;) {
      const rest = chunk.length - at;
      if (this.#left > 0) {
        const part = Math.min(this.#left, rest);
        this.#left -= part;
        yield { data: chunk.subarray(at, at + part) };
        at += part;
      } else if (this.#padding > 0) {
        const part = Math.min(this.#padding, rest);
        this.#padding -= part;
        at += part;
      } else {
        const part = Math.min(blockBytes - this.#filled, rest);
        this.#header.set(chunk.subarray(at, at + part), this.#filled);
        this.#filled += part;
        at += part;
        if (this.#filled === blockBytes) yield* this.#headerEnd();
      }
    }
  }

  /** Throws an AgentError `damaged` when it has not come to its end. */
  finish(): void {
    if (this.#zeroBlocks < endBlocks || this.#filled > 0) throw damaged('the archive is cut off');
  }

  *#headerEnd(): Generator<TarPart, void, void> {
    this.#filled = 0;
    if (this.#header.every((byte) => byte === 0)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw damaged('something follows the end of the archive');
    const entry = parseTarHeader(this.#header);
    this.#left = entry.bytes;
    this.#padding = paddingOf(entry.bytes);
    yield { entry };
  }
}

/** Bytes that fill the last block of a file. */
export function paddingOf(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes;
}

function damaged(problem: string): AgentError {
  return new AgentError('damaged', problem, { reason: 'tar' });
}
