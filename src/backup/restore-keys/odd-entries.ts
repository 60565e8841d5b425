import { holdsOddEntry, listpackForm, type ListpackForm } from '../../formats/rdb/listpack-form.ts';
import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import type { RdbVersion } from '../../formats/rdb/rdb-version.ts';

/** Finds the values that hold an entry which the dump's server writes in another way than the target reads it. */
export class OddEntries {
  readonly #target: ListpackForm;
  #form: ListpackForm = 'unknown';

  constructor(target: ListpackForm) {
    this.#target = target;
  }

  start(version: RdbVersion): void {
    this.#form = listpackForm(version.engine, undefined);
  }

  aux(name: string, value: string): void {
    if (name === 'valkey-ver' && this.#form !== 'long') this.#form = listpackForm('valkey', value);
  }

  has(record: RdbRecord, raw: Uint8Array): boolean {
    return (this.#form !== this.#target || this.#target === 'unknown') && holdsOddEntry(record, raw);
  }
}
