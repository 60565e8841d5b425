import { printable } from '../../lib/text/printable.ts';
import type { WatchedKey } from './content-digest.ts';

/** Lines that are named at most; who sees these looks further by other means. */
const named = 10;
const shownBytes = 60;

/** Finds out which keys of some groups differ between a backup and what a server made of it. */
export class Differences {
  readonly #kept = new Map<string, { content: string; expiresAt: number }>();
  readonly #lines: string[] = [];
  #more = 0;
  readonly #withNames: boolean;

  /** `withNames`: names of keys may be told. */
  constructor(withNames: boolean) {
    this.#withNames = withNames;
  }

  /** Every watched key of the backup, first. */
  expect(key: WatchedKey): void {
    this.#kept.set(idOf(key), { content: key.content, expiresAt: key.expiresAt });
  }

  /** Then every one of the server's. */
  find(key: WatchedKey): void {
    const id = idOf(key);
    const expected = this.#kept.get(id);
    this.#kept.delete(id);
    if (expected === undefined) this.#say(id, 'is not in the backup');
    else if (expected.expiresAt !== key.expiresAt) this.#say(id, 'expires at another time');
    else if (expected.content !== key.content) this.#say(id, 'has another value');
  }

  /** One line each; the last one counts those that are not named. */
  lines(): string[] {
    for (const id of this.#kept.keys()) this.#say(id, 'is missing');
    this.#kept.clear();
    return this.#more === 0 ? this.#lines : [...this.#lines, `and ${this.#more} more`];
  }

  #say(id: string, what: string): void {
    if (this.#lines.length < named) this.#lines.push(`${this.#describe(id)} ${what}`);
    else this.#more++;
  }

  #describe(id: string): string {
    const at = id.indexOf(' ');
    const database = id.slice(0, at);
    if (!this.#withNames) return `a key of database ${database}`;
    const key = Buffer.from(id.slice(at + 1), 'latin1');
    const text = JSON.stringify(printable(key.toString('utf8', 0, shownBytes)));
    return `key ${text}${key.length > shownBytes ? '…' : ''} of database ${database}`;
  }
}

function idOf({ database, name }: WatchedKey): string {
  return `${database} ${Buffer.from(name).toString('latin1')}`;
}
