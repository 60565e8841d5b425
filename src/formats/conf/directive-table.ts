import table from './directives.json' with { type: 'json' };
import type { EngineVersion } from './engine.ts';
import { witnessesFor } from './probed-servers.ts';

/** What a server's parser takes for a directive: see scripts/make-tables.ts. */
export interface DirectiveFacts {
  type: 'yes-no' | 'enum' | 'integer' | 'memory' | 'memory-or-percent' | 'octal' | 'string' | 'save';
  /** Of an enum; of a yes-no those that this build takes, where it does not take both. */
  values?: string[];
  min?: number;
  max?: number;
  /** Words after the name: as few, and as many, as it takes; null: any number. */
  arity: [number, number | null];
  /** Undefined where it depends on the host, or is no value. */
  default?: string;
  /** CONFIG SET takes it. */
  runtime: boolean;
}

/** `unprobed`: the line lies between two that were asked and that differ, or beyond them and they do not have it. */
export type Known =
  | { state: 'known'; facts: DirectiveFacts; probed: boolean }
  | { state: 'unknown' }
  | { state: 'unprobed'; facts: DirectiveFacts | undefined };

interface Entry extends DirectiveFacts {
  on: number[];
}
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by scripts/make-tables.ts, kept by a test
const { servers, entries } = table as unknown as { servers: string[]; entries: Record<string, Entry[]> };

/** The servers that were asked: `redis-7.0.15`. */
export const probedServers: readonly string[] = servers;

/** What `engine` makes of the directive. The name in lower case. */
export function lookUpDirective(name: string, engine: EngineVersion): Known {
  const variants = Object.hasOwn(entries, name) ? entries[name] : undefined;
  const on = (server: number | undefined): Entry | undefined =>
    server === undefined ? undefined : variants?.find((variant) => variant.on.includes(server));
  const { exact, below, above } = witnessesFor(servers, engine);
  if (exact !== undefined) {
    const facts = on(exact);
    return facts === undefined ? { state: 'unknown' } : { state: 'known', facts, probed: true };
  }
  const [older, newer] = [on(below), on(above)];
  // A directive that both neighbours have, the line between them has. The older one's limits are never the wider ones.
  if (older !== undefined && newer !== undefined)
    return { state: 'known', facts: newer, probed: sameLimits(older, newer) };
  if (older === undefined && newer === undefined && below !== undefined && above !== undefined)
    return { state: 'unknown' };
  // Servers seldom drop a directive: one that is newer than all that were asked has what the last of them had.
  if (older !== undefined && above === undefined) return { state: 'known', facts: older, probed: false };
  return { state: 'unprobed', facts: newer ?? older };
}

/** What both neighbours of a line say, the line between them says too. */
function sameLimits(a: DirectiveFacts, b: DirectiveFacts): boolean {
  return limitsOf(a) === limitsOf(b);
}

function limitsOf({ type, values, min, max, arity }: DirectiveFacts): string {
  return JSON.stringify([type, values, min, max, arity]);
}

/** Every name that `engine` may know, for suggestions. */
export function directiveNames(engine: EngineVersion): string[] {
  return Object.keys(entries).filter((name) => lookUpDirective(name, engine).state !== 'unknown');
}

/** Where else the name is known: `redis-8.0.2 and newer`, for messages. */
export function knownElsewhere(name: string): string[] {
  const variants = Object.hasOwn(entries, name) ? (entries[name] ?? []) : [];
  return variants
    .flatMap(({ on }) => on)
    .toSorted((a, b) => a - b)
    .flatMap((at) => servers[at] ?? []);
}
