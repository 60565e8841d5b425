import type { Bucket, KeyspaceSummary } from '../../domain/keyspace.ts';
import type { Amounts, KeyspaceDiff } from '../../keyspace/diff.ts';
import { renderCsv, type CsvField } from './csv.ts';

const reportTitles = [
  'section',
  'made',
  'database',
  'type',
  'encoding',
  'name',
  'below',
  'keys',
  'elements',
  'bytes',
  'memory',
  'expiring',
  'expires_at',
] as const;

type Row = Partial<Record<(typeof reportTitles)[number], CsvField>>;

/** The whole report in one flat table: `section` says what a line is of. */
export function keyspaceCsv(report: KeyspaceSummary): string {
  const { created_at: made, totals, databases, types, prefixes, keys, ttl } = report;
  const rows: Row[] = [
    { section: 'total', ...totals },
    ...databases.flatMap((each) =>
      each.types.map((tally) => ({ section: 'type', database: each.database, ...tally })),
    ),
    ...types.flatMap(({ type, encodings }) =>
      encodings.map((tally) => ({ section: 'encoding', type, ...tally })),
    ),
    ...prefixes.list.map(({ prefix, types: of, ...sums }) => ({
      section: 'prefix',
      name: prefix,
      type: of.join('|'),
      ...sums,
    })),
    ...keys.map(({ key, ...rest }) => ({
      section: 'key',
      name: key,
      keys: 1,
      expiring: rest.expires_at === null ? 0 : 1,
      ...rest,
    })),
    ...bucketRows('ttl', ttl.buckets),
    { section: 'ttl', name: 'never', ...ttl.never },
    ...bucketRows('size', report.sizes),
    ...bucketRows('idle', report.idle ?? []),
    ...bucketRows('frequency', report.frequency ?? []),
  ];
  return renderCsv(
    reportTitles,
    rows.map((row) => reportTitles.map((title) => fieldOf({ ...row, made }, title))),
  );
}

/** Spreadsheets take no ISO 8601 with a T for a time. */
function fieldOf(row: Row, title: keyof Row): CsvField {
  const field = row[title] ?? null;
  if (typeof field !== 'string' || (title !== 'made' && title !== 'expires_at')) return field;
  return field.replace('T', ' ').replace(/(?:\.\d+)?Z$/, '');
}

function bucketRows(section: string, buckets: readonly Bucket[]): Row[] {
  return buckets.map(({ below, ...sums }) => ({ section, below, ...sums }));
}

const measures = ['keys', 'bytes', 'memory', 'expiring'] as const;

const diffTitles = [
  'section',
  'database',
  'type',
  'name',
  'change',
  'exact',
  ...measures.flatMap((measure) => [`${measure}_before`, `${measure}_after`, `${measure}_change`]),
];

/** What changed in one flat table. */
export function diffCsv(
  { totals, types, prefixes }: KeyspaceDiff,
  list: KeyspaceDiff['prefixes']['list'] = prefixes.list,
): string {
  return renderCsv(diffTitles, [
    ['total', null, null, null, null, null, ...amountFields(totals)],
    ...types.map((row) => [
      'type',
      row.database,
      row.type,
      null,
      row.change,
      exactField(row.exact),
      ...amountFields(row),
    ]),
    ...list.map((row) => [
      'prefix',
      null,
      row.types.join('|'),
      row.prefix,
      row.change,
      exactField(row.exact),
      ...amountFields(row),
    ]),
  ]);
}

function exactField(exact: boolean): string {
  return exact ? 'yes' : 'at most';
}

function amountFields({
  before,
  after,
  delta,
}: {
  before: Amounts | null;
  after: Amounts | null;
  delta: Amounts;
}): CsvField[] {
  return measures.flatMap((measure) => [before?.[measure] ?? 0, after?.[measure] ?? 0, delta[measure]]);
}
