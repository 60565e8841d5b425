import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { releaseMemory } from '../../lib/memory/release-memory.ts';

/**
 * The payload of an age file (age-encryption.org/v1, "Payload"): a nonce, then ChaCha20-Poly1305 over chunks of
 * 64 KiB, each with a counter and a mark on the last. By OpenSSL, which is eight times as fast as the library's
 * JavaScript; the library does the keys.
 */
export const plainChunkBytes = 64 * 1024;
export const tagBytes = 16;
export const sealedChunkBytes = plainChunkBytes + tagBytes;
export const payloadNonceBytes = 16;

/** Seals or opens the chunks of one payload, in order. */
export class AgePayload {
  readonly #key: Uint8Array;
  readonly #nonce = Buffer.alloc(12);
  #counter = 0;

  constructor(fileKey: Uint8Array, payloadNonce: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync('sha256', fileKey, payloadNonce, 'payload', 32));
  }

  /** Writes the sealed chunk to `target`; returns how many bytes. */
  seal(chunk: Uint8Array, last: boolean, target: Uint8Array): number {
    const cipher = createCipheriv('chacha20-poly1305', this.#key, this.#next(last), {
      authTagLength: tagBytes,
    });
    const sealed = cipher.update(chunk);
    target.set(sealed);
    releaseMemory(sealed);
    cipher.final();
    target.set(cipher.getAuthTag(), chunk.length);
    return chunk.length + tagBytes;
  }

  /** The plain chunk; throws where it was not sealed by this key, in this place. */
  open(sealed: Uint8Array, last: boolean): Uint8Array {
    const end = sealed.length - tagBytes;
    const nonce = this.#next(last);
    const cipher = createDecipheriv('chacha20-poly1305', this.#key, nonce, { authTagLength: tagBytes });
    cipher.setAuthTag(sealed.subarray(end));
    const plain = cipher.update(sealed.subarray(0, end));
    cipher.final();
    return plain;
  }

  /** Eleven bytes of counter, of which six are enough for 2^64 bytes, and the mark. */
  #next(last: boolean): Buffer {
    this.#nonce.writeUIntBE(this.#counter++, 5, 6);
    this.#nonce[11] = last ? 1 : 0;
    return this.#nonce;
  }
}
