import { untilAborted } from './until-aborted.ts';

const mebibyte = 1024 * 1024;

/** S3's limit on the parts of one upload. */
export const mostParts = 10_000;

/** Of each part where nothing else is said. */
const usualPart = 16 * mebibyte;
/** Parts that a size is chosen for: some room, since what will come is only estimated. */
const wantedParts = 9000;
const buffers = 64 * mebibyte;

/** The size of the parts of one upload, and how many may be under way. */
export interface PartPlan {
  bytes: number;
  lanes: number;
}

/**
 * One size for all parts, since some services (R2) take no other: `least`, or larger where what is expected would need too
 * many. The buffers together stay at 64 MiB while parts are not larger than that.
 */
export function partPlan(expected = 0, least = usualPart): PartPlan {
  const needed = Math.ceil(expected / wantedParts / mebibyte) * mebibyte;
  const bytes = Math.max(least, needed);
  return { bytes, lanes: Math.max(1, Math.floor(buffers / bytes)) };
}

/**
 * Sends part `number`. The body is valid until this settles; afterwards its buffer is filled anew. The signal aborts
 * when the whole upload is to stop.
 */
export type SendPart = (number: number, body: Buffer, signal: AbortSignal) => Promise<void>;

/**
 * Copies chunks into recycled buffers and sends each that is full, several at a time. What fits one part is not sent
 * but returned as `only`, because a store takes that in one request. When a part fails or the signal aborts, the others
 * are cut off, and only when none is under way any more this rejects with what went wrong (a producer's error or a
 * signal's reason as PassOn).
 */
export async function sendParts(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  send: SendPart,
  { bytes: size, lanes }: PartPlan = partPlan(),
): Promise<{ bytes: number; parts: number; only: Buffer | undefined }> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const underWay = new Set<Promise<void>>();
  const free: Buffer[] = [];
  let parts = 0;
  let bytes = 0;

  async function takeBuffer(): Promise<Buffer> {
    while (underWay.size >= lanes) await Promise.race(underWay);
    either.throwIfAborted();
    return free.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  function dispatch(buffer: Buffer, length: number): void {
    parts += 1;
    const part = send(parts, buffer.subarray(0, length), either)
      .then(
        () => void free.push(buffer),
        (error: unknown) => stop.abort(error),
      )
      .finally(() => underWay.delete(part));
    underWay.add(part);
  }

  try {
    let buffer = await takeBuffer();
    let filled = 0;
    for await (const chunk of untilAborted(chunks, either)) {
      bytes += chunk.length;
      for (let offset = 0; offset < chunk.length;) {
        if (filled === buffer.length) {
          dispatch(buffer, filled);
          buffer = await takeBuffer();
          filled = 0;
        }
        const piece = chunk.subarray(offset, offset + buffer.length - filled);
        buffer.set(piece, filled);
        filled += piece.length;
        offset += piece.length;
      }
    }
    if (parts === 0) return { bytes, parts, only: buffer.subarray(0, filled) };
    dispatch(buffer, filled);
    await Promise.all(underWay);
    either.throwIfAborted();
    return { bytes, parts, only: undefined };
  } catch (error) {
    stop.abort(error);
    await Promise.all(underWay);
    throw error;
  }
}
