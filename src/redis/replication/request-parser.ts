/** What a replica may send at once; its commands have a few short words each. */
const limits = { words: 16, wordBytes: 4096, lineBytes: 4096 };

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const asterisk = 0x2a;
const dollar = 0x24;

/** Thrown when what comes is no request, or a larger one than a replica ever sends. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/**
 * Cuts a stream into requests as a server reads them: arrays of bulk strings, and plain lines. Empty lines, which a
 * replica sends to show that it lives while it loads, are no requests. Holds one bounded request at most.
 */
export class RequestParser {
  #rest: Buffer = Buffer.alloc(0);

  /** The requests that this chunk completes, word by word. Throws a RequestError; nothing may follow then. */
  update(chunk: Buffer): string[][] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const requests: string[][] = [];
    for (;;) {
      const request = readRequest(bytes);
      if (request === undefined) break;
      bytes = bytes.subarray(request.length);
      if (request.words.length > 0) requests.push(request.words);
    }
    // A copy, so that a small rest does not keep a large chunk.
    this.#rest = Buffer.from(bytes);
    return requests;
  }
}

interface Request {
  words: string[];
  /** Bytes that it takes. */
  length: number;
}

/** undefined: more bytes are needed. */
function readRequest(bytes: Buffer): Request | undefined {
  const line = readLine(bytes, 0);
  if (line === undefined) return undefined;
  if (bytes[0] !== asterisk) return { words: line.text.split(' ').filter(Boolean), length: line.next };
  const count = numberOf(line.text.slice(1), limits.words, 'words in a request');
  const words: string[] = [];
  let at = line.next;
  while (words.length < count) {
    const head = readLine(bytes, at);
    if (head === undefined) return undefined;
    if (bytes[at] !== dollar) throw new RequestError('a word of a request has no length');
    const length = numberOf(head.text.slice(1), limits.wordBytes, 'bytes in a word of a request');
    const end = head.next + length;
    if (bytes.length < end + 2) return undefined;
    if (bytes[end] !== carriageReturn || bytes[end + 1] !== lineFeed)
      throw new RequestError('a word of a request is longer than it says');
    words.push(bytes.toString('latin1', head.next, end));
    at = end + 2;
  }
  return { words, length: at };
}

function readLine(bytes: Buffer, from: number): { text: string; next: number } | undefined {
  const end = bytes.indexOf(lineFeed, from);
  if ((end === -1 ? bytes.length : end) - from > limits.lineBytes)
    throw new RequestError('a line of a request is too long');
  if (end === -1) return undefined;
  const text = bytes.toString('latin1', from, bytes[end - 1] === carriageReturn ? end - 1 : end);
  return { text, next: end + 1 };
}

function numberOf(text: string, most: number, what: string): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= most) return number;
  throw new RequestError(`${JSON.stringify(text.slice(0, 20))} is no usable number of ${what}`);
}
