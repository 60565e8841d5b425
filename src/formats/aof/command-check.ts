import { aritiesOf, commandTable, isKnownSomewhere } from '../acl/command-table.ts';
import type { EngineVersion } from '../conf/engine.ts';
import type { RespCommand } from './resp-scanner.ts';

/** Commands that a server would not take. */
export interface OddCommand {
  /** In lower case. */
  name: string;
  /** One of them, the first where the name is what is odd. */
  file: string;
  offset: number;
  text: string;
}

interface Example {
  arguments: number;
  file: string;
  offset: number;
  text: string;
}

interface Seen {
  fewest: Example;
  most: Example;
}

/** Different names: no server has a tenth of them. */
const mostNames = 5000;
/** Stands for those beyond. */
const tooLong = '(a name of more than 64 bytes)';

/**
 * Takes note of which commands an append only file has, and of how many arguments they have at the least and the most; in bounded
 * memory, since of each name only two are kept.
 */
export class CommandCheck {
  readonly #seen = new Map<string, Seen>();

  note(file: string, command: RespCommand): void {
    const name = command.name ?? tooLong;
    const seen = this.#seen.get(name);
    if (seen === undefined) {
      if (this.#seen.size >= mostNames) return;
      const first = exampleOf(file, command);
      this.#seen.set(name, { fewest: first, most: first });
      return;
    }
    if (command.arguments < seen.fewest.arguments) seen.fewest = exampleOf(file, command);
    if (command.arguments > seen.most.arguments) seen.most = exampleOf(file, command);
  }

  /** By the table of what that server knows; undefined, or one that was never asked: what any knows is known. */
  judge(engine: EngineVersion | undefined): { unknown: OddCommand[]; wrongArity: OddCommand[] } {
    const table = engine === undefined ? undefined : commandTable(engine);
    const unknown: OddCommand[] = [];
    const wrongArity: OddCommand[] = [];
    for (const [name, { fewest, most }] of this.#seen) {
      const isKnown = table?.probed === true ? table.arity.has(name) : isKnownSomewhere(name);
      const { arguments: _, ...first } = fewest;
      if (!isKnown) unknown.push({ name, ...first });
      const own = table?.arity.get(name);
      const arities = own === undefined ? aritiesOf(name) : [own];
      if (!isKnown || arities.length === 0) continue;
      const odd = [fewest, most].find(({ arguments: count }) =>
        arities.every((arity) => !fits(arity, count)),
      );
      if (odd === undefined) continue;
      const { arguments: __, ...example } = odd;
      wrongArity.push({ name, ...example });
    }
    return { unknown, wrongArity };
  }
}

function exampleOf(file: string, command: RespCommand): Example {
  return { arguments: command.arguments, file, offset: command.offset, text: command.describe() };
}

function fits(arity: number, count: number): boolean {
  return arity < 0 ? count >= -arity : count === arity;
}
