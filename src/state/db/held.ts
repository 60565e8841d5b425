import type { State } from './open.ts';

interface Copy<Row> {
  /** What SQLite counted of commits by others when it was read. */
  version: number;
  rows: Map<number, Row>;
}

/**
 * Rows that are read at every look, kept in memory. They are read anew when any other connection has written to the
 * database; what this one writes, its writer tells by `put` and `drop`; and what is rolled back is forgotten. Rows are not
 * to be changed in place.
 */
export class HeldRows<Row> {
  readonly #read: (state: State) => Iterable<readonly [id: number, row: Row]>;
  readonly #copies = new WeakMap<State, Copy<Row>>();

  constructor(read: (state: State) => Iterable<readonly [id: number, row: Row]>) {
    this.#read = read;
    all.add(this);
  }

  /** By their ids, in the order in which they were read; new ones come last. */
  of(state: State): ReadonlyMap<number, Row> {
    // Asked first: what is committed between the two is then read twice and not missed.
    const version = Number(state.db.prepare('PRAGMA data_version').get()?.['data_version']);
    const known = this.#copies.get(state);
    if (known?.version === version) return known.rows;
    const rows = new Map(this.#read(state));
    this.#copies.set(state, { version, rows });
    return rows;
  }

  put(state: State, id: number, row: Row): void {
    this.#copies.get(state)?.rows.set(id, row);
  }

  drop(state: State, id: number): void {
    this.#copies.get(state)?.rows.delete(id);
  }

  forget(state: State): void {
    this.#copies.delete(state);
  }
}

const all = new Set<HeldRows<unknown>>();

/** What was told of writes that were undone. */
export function forgetHeld(state: State): void {
  for (const held of all) held.forget(state);
}
