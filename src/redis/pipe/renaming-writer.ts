import { CommandWriter, encodedArgument } from './command-writer.ts';

/** The same for a server that has commands under other names: the first argument of each command is looked up. */
export class RenamingWriter extends CommandWriter {
  readonly #names: ReadonlyMap<string, Uint8Array>;
  /** By how much a command grows at the most. */
  readonly #more: number;
  readonly #known = new Map<Uint8Array, Uint8Array>();
  #first = false;

  /** `renamed`: by the commands' own names, in capitals. */
  constructor(renamed: Readonly<Record<string, string>>) {
    super();
    this.#names = new Map(Object.entries(renamed).map(([command, name]) => [command, encodedArgument(name)]));
    this.#more = Math.max(0, ...[...this.#names.values()].map(({ length }) => length));
  }

  override start(count: number, bound: number): void {
    super.start(count, bound + this.#more);
    this.#first = true;
  }

  override literal(encoded: Uint8Array): void {
    const first = this.#first;
    this.#first = false;
    super.literal(first ? this.#renamed(encoded) : encoded);
  }

  override argument(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (!this.#first) return super.argument(bytes, from, to);
    this.literal(encodedArgument(bytes.subarray(from, to)));
  }

  /** The words of the commands are few and made once. */
  #renamed(encoded: Uint8Array): Uint8Array {
    const known = this.#known.get(encoded);
    if (known !== undefined) return known;
    const command = Buffer.from(encoded).toString('latin1').split('\r\n')[1] ?? '';
    const name = this.#names.get(command.toUpperCase()) ?? encoded;
    if (this.#known.size < 64) this.#known.set(encoded, name);
    return name;
  }
}
