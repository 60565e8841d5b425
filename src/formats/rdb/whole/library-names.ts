import { RdbError } from '../rdb-handler.ts';

/** More libraries than anybody has; a hostile file's others are not compared. */
const mostNames = 10_000;

/**
 * The names of function libraries, which a server refuses to have twice: `#!lua name=NAME` in the first line. Their code is
 * judged by nobody but the server that runs it.
 */
export class LibraryNames {
  readonly #names = new Set<string>();
  count = 0;

  /** Throws an RdbError for what no server takes. */
  add(code: Uint8Array): void {
    this.count++;
    const name = nameOf(code);
    if (this.#names.has(name))
      throw new RdbError(
        'damaged',
        `the function library ${name} is there twice, and no server starts with that`,
      );
    if (this.#names.size < mostNames) this.#names.add(name);
  }
}

function nameOf(code: Uint8Array): string {
  const end = code.indexOf(0x0a);
  const line = String.fromCharCode(...code.subarray(0, Math.min(end < 0 ? code.length : end, 1024)));
  const [engine = '', ...parts] = line.split(/[ \t\r\v\f]+/).filter((part) => part !== '');
  const names = parts.flatMap((part) => (/^name=/i.test(part) ? [part.slice('name='.length)] : []));
  const [name] = names;
  if (!engine.startsWith('#!') || name === undefined || names.length > 1 || !/^\w+$/.test(name))
    throw new RdbError('damaged', 'a function library does not begin with its engine and name');
  return name;
}
