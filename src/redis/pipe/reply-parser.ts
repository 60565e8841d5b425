/**
 * A reply: a status or bulk text, a whole number, nothing, or what the server refused the command with. Of an array only
 * how many elements it has: nobody needs them.
 */
export type PipeReply = string | number | null | PipeError;

/** An error reply: the server's words, as they came. */
export class PipeError {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Its first word: `BUSYKEY`, `OOM`, `ERR` … */
  get code(): string {
    return /^[A-Z]+/.exec(this.text)?.[0] ?? '';
  }
}

/** Longer replies are none that a command of ours has. */
const maxReply = 64 * 1024;

const cr = 0x0d;
const lf = 0x0a;

/** Reads replies out of chunks of any size; keeps what is incomplete. */
export class ReplyParser {
  #rest: Buffer = Buffer.alloc(0);
  readonly #take: (reply: PipeReply) => void;
  /** Elements of the array that is being read which are still to come, and how many it has. */
  #inner = 0;
  #elements = 0;

  constructor(take: (reply: PipeReply) => void) {
    this.#take = take;
  }

  /** Throws an Error when the bytes are not Redis's protocol, or not what our commands are answered with. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      if (isOk(bytes, at)) {
        this.#deliver('OK');
        at += 5;
        continue;
      }
      const end = this.#reply(bytes, at);
      if (end < 0) break;
      at = end;
    }
    if (bytes.length - at > maxReply) throw new Error('a reply without an end');
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }

  /** Delivers the reply at `at`; returns where it ends, or -1 when the rest of it has not come yet. */
  #reply(bytes: Buffer, at: number): number {
    const line = bytes.indexOf(lf, at);
    if (line < 0) return -1;
    if (bytes[line - 1] !== cr) throw new Error('a line without its end');
    const kind = String.fromCharCode(bytes[at]!);
    const text = bytes.toString('utf8', at + 1, line - 1);
    if (kind === '+') this.#deliver(text);
    else if (kind === '-') this.#deliver(new PipeError(text));
    else if (kind === ':') this.#deliver(integer(text));
    else if (kind === '*') this.#array(integer(text));
    else if (kind === '$') return this.#bulk(bytes, line + 1, integer(text));
    else throw new Error('an answer of an unknown kind');
    return line + 1;
  }

  #deliver(reply: PipeReply): void {
    if (this.#inner === 0) this.#take(reply);
    else if (--this.#inner === 0) this.#take(this.#elements);
  }

  #array(length: number): void {
    if (length <= 0) {
      this.#deliver(length < 0 ? null : 0);
    } else if (this.#inner === 0) {
      this.#elements = length;
      this.#inner = length;
    } else {
      this.#inner += length - 1;
    }
  }

  #bulk(bytes: Buffer, from: number, length: number): number {
    if (length > maxReply) throw new Error(`an answer of ${length} bytes`);
    if (length < 0) {
      this.#deliver(null);
      return from;
    }
    const end = from + length + 2;
    if (bytes.length < end) return -1;
    this.#deliver(bytes.toString('utf8', from, end - 2));
    return end;
  }
}

function isOk(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0x2b &&
    bytes[at + 1] === 0x4f &&
    bytes[at + 2] === 0x4b &&
    bytes[at + 3] === cr &&
    bytes[at + 4] === lf
  );
}

function integer(text: string): number {
  if (!/^-?\d{1,19}$/.test(text)) throw new Error('a number that is none');
  return Number(text);
}
