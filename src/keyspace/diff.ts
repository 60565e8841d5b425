import type { KeyspaceSummary } from '../domain/keyspace.ts';

/** The newest schema of a comparison that this version writes. */
const diffSchema = 1;

/** By what changes are judged and sorted; bytes are those of the dump, memory is estimated. */
export const diffMeasures = ['memory', 'bytes', 'keys'] as const;
export type DiffMeasure = (typeof diffMeasures)[number];

export interface Amounts {
  keys: number;
  bytes: number;
  memory: number;
  /** Keys that have a time to live. */
  expiring: number;
}

export interface Change {
  /** By the measure that was asked for; `other`: that one is the same, another is not. */
  change: 'grew' | 'shrank' | 'appeared' | 'vanished' | 'other';
  /**
   * false: the report without it holds only the largest, or was made where nothing divides names. It may have been
   * there, smaller than what is listed, so that the difference is at most what `delta` says.
   */
  exact: boolean;
  /** null: not there. */
  before: Amounts | null;
  after: Amounts | null;
  /** after − before. */
  delta: Amounts;
}

export interface TypeChange extends Change {
  database: number;
  type: string;
}

export interface PrefixChange extends Change {
  /** As in the report; names that read alike are counted together. */
  prefix: string;
  depth: number;
  types: string[];
}

/** What is different between two key-space reports. Only what changed is listed, the largest change first. */
export interface KeyspaceDiff {
  schema: number;
  by: DiffMeasure;
  totals: { before: Amounts; after: Amounts; delta: Amounts };
  /** Of each type in each database. */
  types: TypeChange[];
  prefixes: {
    /** The character that divides names; null: nothing does. */
    separator: string | null;
    /** false: the reports divide names differently (`separator`, `depth`), and so nothing is listed. */
    comparable: boolean;
    /** Were all prefixes in both reports? Else only the largest were compared. */
    complete: boolean;
    /** Bytes of memory that each side of a line may lack at most (see `missed` in the report). */
    missed: number;
    list: PrefixChange[];
    /** Keys without a separator. */
    none: { before: Omit<Amounts, 'expiring'>; after: Omit<Amounts, 'expiring'> };
  };
}

/** Mirrors: with the two the other way round, growth is shrinkage by the same amounts. */
export function diffKeyspaces(
  before: KeyspaceSummary,
  after: KeyspaceSummary,
  by: DiffMeasure = 'memory',
): KeyspaceDiff {
  const from = pick(before.totals);
  const to = pick(after.totals);
  const prefixes = [before.prefixes, after.prefixes];
  const comparable = haveSamePrefixes(before, after);
  return {
    schema: diffSchema,
    by,
    totals: { before: from, after: to, delta: subtract(to, from) },
    types: compare(typesOf(before), typesOf(after), by),
    prefixes: {
      separator: after.prefixes.separator ?? before.prefixes.separator,
      comparable,
      complete: prefixes.every(({ complete }) => complete),
      missed: Math.max(...prefixes.map(({ missed }) => missed)),
      list: comparable ? comparePrefixes(before, after, by) : [],
      none: { before: before.prefixes.none, after: after.prefixes.none },
    },
  };
}

/** Are the prefixes of both made in the same way? Where nothing divides the keys of one, it has none. */
export function haveSamePrefixes(
  { prefixes: a }: KeyspaceSummary,
  { prefixes: b }: KeyspaceSummary,
): boolean {
  if (a.separator === null || b.separator === null) return true;
  return a.separator === b.separator && a.depth === b.depth;
}

interface Side<Name> {
  all: Map<string, { name: Name; amounts: Amounts }>;
  /** Are they all there is? */
  complete: boolean;
}

function typesOf({ databases, totals }: KeyspaceSummary): Side<{ database: number; type: string }> {
  const side: Side<{ database: number; type: string }> = { all: new Map(), complete: true };
  let keys = 0;
  for (const { database, types } of databases)
    for (const tally of types) {
      keys += tally.keys;
      put(side, `${database} ${tally.type}`, { database, type: tally.type }, pick(tally));
    }
  // A compact report has the first of very many databases.
  side.complete = keys === totals.keys;
  return side;
}

function comparePrefixes(before: KeyspaceSummary, after: KeyspaceSummary, by: DiffMeasure): PrefixChange[] {
  const types = new Map<string, Set<string>>();
  const sideOf = ({ prefixes }: KeyspaceSummary): Side<{ prefix: string; depth: number }> => {
    const { complete, separator, none } = prefixes;
    const side: Side<{ prefix: string; depth: number }> = {
      all: new Map(),
      complete: complete && (separator !== null || none.keys === 0),
    };
    for (const { prefix, depth, types: each, ...amounts } of prefixes.list) {
      const id = `${depth} ${prefix}`;
      put(side, id, { prefix, depth }, pick(amounts));
      types.set(id, new Set([...(types.get(id) ?? []), ...each]));
    }
    return side;
  };
  return compare(sideOf(before), sideOf(after), by).map((change) => ({
    ...change,
    types: [...(types.get(`${change.depth} ${change.prefix}`) ?? [])].toSorted(),
  }));
}

function put<Name>(side: Side<Name>, id: string, name: Name, amounts: Amounts): void {
  const known = side.all.get(id);
  side.all.set(id, { name, amounts: known === undefined ? amounts : add(known.amounts, amounts) });
}

/** What changed, the largest change first. */
function compare<Name extends object>(
  before: Side<Name>,
  after: Side<Name>,
  by: DiffMeasure,
): (Name & Change)[] {
  const ids = [...new Set([...before.all.keys(), ...after.all.keys()])].toSorted();
  return ids
    .flatMap((id) => {
      const from = before.all.get(id);
      const to = after.all.get(id);
      const name = (to ?? from)?.name;
      const exact = (from !== undefined || before.complete) && (to !== undefined || after.complete);
      const change = changeOf(from?.amounts ?? null, to?.amounts ?? null, by, exact);
      return name === undefined || change === undefined ? [] : [{ ...name, ...change }];
    })
    .toSorted((a, b) => Math.abs(b.delta[by]) - Math.abs(a.delta[by]));
}

/** Undefined when nothing did. */
function changeOf(
  before: Amounts | null,
  after: Amounts | null,
  by: DiffMeasure,
  exact: boolean,
): Change | undefined {
  const delta = subtract(after ?? nothing, before ?? nothing);
  if (measures.every((each) => delta[each] === 0)) return undefined;
  return { change: nameOf(before, after, delta[by]), exact, before, after, delta };
}

function nameOf(before: Amounts | null, after: Amounts | null, delta: number): Change['change'] {
  if (before === null) return 'appeared';
  if (after === null) return 'vanished';
  if (delta === 0) return 'other';
  return delta > 0 ? 'grew' : 'shrank';
}

const measures = ['keys', 'bytes', 'memory', 'expiring'] as const;
const nothing: Amounts = { keys: 0, bytes: 0, memory: 0, expiring: 0 };

function pick({ keys, bytes, memory, expiring }: Amounts): Amounts {
  return { keys, bytes, memory, expiring };
}

function add(a: Amounts, b: Amounts): Amounts {
  return {
    keys: a.keys + b.keys,
    bytes: a.bytes + b.bytes,
    memory: a.memory + b.memory,
    expiring: a.expiring + b.expiring,
  };
}

function subtract(a: Amounts, b: Amounts): Amounts {
  return {
    keys: a.keys - b.keys,
    bytes: a.bytes - b.bytes,
    memory: a.memory - b.memory,
    expiring: a.expiring - b.expiring,
  };
}
