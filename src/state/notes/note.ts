import { renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../../domain/errors.ts';
import { actAs, type UserId } from '../../lib/process/act-as.ts';
import { longestNote, readForeignSync } from '../../lib/files/foreign-file.ts';
import { replaceJson } from '../../lib/files/replace-json.ts';
import { makeFolders } from '../../lib/files/make-folders.ts';

/**
 * A small JSON file in the agent's state directory, whole or not there. It belongs to whom that directory belongs to, and is
 * read and written with his rights, whoever runs the agent.
 */
export class Note<Value> {
  readonly path: string;
  readonly #parse: (value: unknown) => Value;
  readonly #owner: UserId | undefined;

  /** `name` counts from the state directory; `parse` throws at what is no such note, and says why. */
  constructor(stateDirectory: string, name: string, parse: (value: unknown) => Value) {
    this.path = join(stateDirectory, name);
    this.#parse = parse;
    this.#owner = statSync(stateDirectory, { throwIfNoEntry: false });
  }

  /** Undefined when there is none. Throws when it cannot be read, or is no such note. */
  read(): Value | undefined {
    let text: string;
    try {
      text = actAs(this.#owner, () => readForeignSync(this.path, longestNote));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    return this.#parse(JSON.parse(text));
  }

  /** Undefined, too, when it cannot be read: for what may be lost. */
  readIfSound(): Value | undefined {
    try {
      return this.read();
    } catch {
      return undefined;
    }
  }

  /** Durable when it returns. Throws a system error. */
  write(value: Value): void {
    actAs(this.#owner, () => {
      makeFolders(dirname(this.path), 0o750);
      replaceJson(this.path, value);
    });
  }

  /** Takes the place of another one. Throws a system error. */
  moveTo({ path }: Note<Value>): void {
    actAs(this.#owner, () => renameSync(this.path, path));
  }

  clear(): void {
    actAs(this.#owner, () => rmSync(this.path, { force: true }));
  }
}
