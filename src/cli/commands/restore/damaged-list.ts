import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { DamagedValue } from '../../../backup/restore-keys/tally.ts';
import { cannotWrite } from '../../write-out.ts';

/** A file with a line of JSON for each value that was left out, for its owner alone. What is there already stays before them. */
export class DamagedList implements Disposable {
  readonly #path: string;
  readonly #descriptor: number;

  /** Throws an AgentError `failed`, before anything is written into a server. */
  constructor(path: string) {
    this.#path = path;
    const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
    try {
      this.#descriptor = openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  /** Throws an AgentError `failed`: nothing is left out that is not listed. */
  readonly add = (value: DamagedValue): void => {
    try {
      writeSync(this.#descriptor, `${JSON.stringify(value)}\n`);
    } catch (error) {
      throw cannotWrite(this.#path, error);
    }
  };

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
