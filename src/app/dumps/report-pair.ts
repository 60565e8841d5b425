import { AgentError } from '../../domain/errors.ts';
import type { KeyspaceSummary } from '../../domain/keyspace.ts';
import type { KeySource } from '../../jobs/keys/key-source.ts';
import { diffKeyspaces, haveSamePrefixes, type DiffMeasure, type KeyspaceDiff } from '../../keyspace/diff.ts';
import type { ReportOptions } from '../../keyspace/report.ts';
import type { DumpContext } from './dump-context.ts';
import { readReport, storedReport, storedReportIfSound, type SourceReport } from './key-reports.ts';

/** One of the two that are compared. */
interface Side {
  source: string;
  /** Was it the report that is kept, and not the dump? */
  stored: boolean;
  /** ISO 8601; null where the dump does not say. */
  created_at: string | null;
  /** What the server said it used; null where the dump does not say. */
  used_memory: number | null;
  engine: string;
  rdb_version: number;
}

export interface KeysDiffResult extends KeyspaceDiff {
  before: Side;
  after: Side;
  /** Between the two; null where one of them does not say when it was made. */
  seconds: number | null;
}

/** Of the one before and of the one after. */
type Pair<Type> = readonly [before: Type, after: Type];

/**
 * The reports of two sources that are to be compared. `any`: those that are kept, where both have one and they were
 * counted alike; else the dumps are read, as far as there are any. Throws an AgentError where no two can be had that
 * count the same keys.
 */
export async function reportPair(
  context: DumpContext,
  sources: Pair<KeySource>,
  from: 'any' | 'stored' | 'full',
): Promise<Pair<SourceReport>> {
  const pair =
    (from === 'full' ? undefined : await storedPair(context, sources, from === 'stored')) ??
    (await readPair(context, sources));
  refuseOtherKeys(pair);
  return pair;
}

/** What is different, for people and for --json. */
export function compareReports([before, after]: Pair<SourceReport>, by: DiffMeasure): KeysDiffResult {
  const { schema, ...changes } = diffKeyspaces(before.summary, after.summary, by);
  const sides = { before: sideOf(before), after: sideOf(after), seconds: secondsBetween(before, after) };
  return { schema, ...sides, ...changes };
}

function sideOf({ source, stored, summary }: SourceReport): Side {
  return {
    source,
    stored,
    created_at: summary.created_at,
    used_memory: summary.used_memory,
    engine: summary.rdb.engine,
    rdb_version: summary.rdb.version,
  };
}

function secondsBetween({ summary: a }: SourceReport, { summary: b }: SourceReport): number | null {
  if (a.created_at === null || b.created_at === null) return null;
  return (Date.parse(b.created_at) - Date.parse(a.created_at)) / 1000;
}

/** Undefined where the dumps have to be read, and may be. */
async function storedPair(
  context: DumpContext,
  [before, after]: Pair<KeySource>,
  only: boolean,
): Promise<Pair<SourceReport> | undefined> {
  if (only) return [await storedReport(context, before), await storedReport(context, after)];
  if (![before, after].every(({ kind }) => kind === 'backup' || kind === 'report')) return undefined;
  const from = await storedIfAny(context, before);
  const to = from === undefined ? undefined : await storedIfAny(context, after);
  if (from === undefined || to === undefined) return undefined;
  const onlyReports = before.kind === 'report' && after.kind === 'report';
  return onlyReports || areAlike(from.summary, to.summary) ? [from, to] : undefined;
}

/** A file that is a report has nothing else to be read. */
async function storedIfAny(context: DumpContext, source: KeySource): Promise<SourceReport | undefined> {
  return source.kind === 'report'
    ? await storedReport(context, source)
    : await storedReportIfSound(context, source);
}

/** The later one first, as names are today; then the other one in the same way. */
async function readPair(context: DumpContext, [before, after]: Pair<KeySource>): Promise<Pair<SourceReport>> {
  const read = async (source: KeySource, like: KeyspaceSummary | undefined): Promise<SourceReport> =>
    source.kind === 'report'
      ? await storedReport(context, source)
      : await readReport(context, source, optionsLike(like, context.clock.now()));
  if (before.kind === 'report') {
    const from = await read(before, undefined);
    return [from, await read(after, from.summary)];
  }
  const to = await read(after, undefined);
  return [await read(before, to.summary), to];
}

function optionsLike(other: KeyspaceSummary | undefined, now: number): ReportOptions {
  // The keys themselves are not compared.
  const options: ReportOptions = { now, top: 1, prefixes: Infinity };
  if (other === undefined) return options;
  const { separator, depth } = other.prefixes;
  const { database, type } = other.selection;
  return {
    ...options,
    depth,
    ...(separator === null ? {} : { separator }),
    ...(database === null ? {} : { database }),
    ...(type === null ? {} : { type }),
  };
}

function areAlike(a: KeyspaceSummary, b: KeyspaceSummary): boolean {
  return haveSamePrefixes(a, b) && isSameSelection(a, b);
}

function isSameSelection({ selection: a }: KeyspaceSummary, { selection: b }: KeyspaceSummary): boolean {
  return a.database === b.database && a.type === b.type;
}

function refuseOtherKeys([before, after]: Pair<SourceReport>): void {
  if (isSameSelection(before.summary, after.summary)) return;
  throw new AgentError(
    'usage',
    `the two count different keys: ${before.source} ${describe(before.summary)}, ${after.source} ${describe(after.summary)}`,
    { hint: 'compare reports that were made with the same --database and --type' },
  );
}

function describe({ selection: { database, type } }: KeyspaceSummary): string {
  const parts = [
    ...(database === null ? [] : [`database ${database}`]),
    ...(type === null ? [] : [`type ${type}`]),
  ];
  return parts.length === 0 ? 'all' : `only ${parts.join(', ')}`;
}
