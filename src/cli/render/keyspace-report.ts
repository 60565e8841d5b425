import type { Bucket, KeyspaceSummary, KeyTally, LargeKey } from '../../domain/keyspace.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { count, firstUnrepeated, formatSpan, indent, share, shorten } from './keyspace-text.ts';
import type { Style } from './style.ts';
import { renderTable, type Cell, type Column } from './table.ts';

interface Options {
  style: Style;
  width: number;
  top: number;
}

type SourcedSummary = KeyspaceSummary & { source: string; stored: boolean };

/** The key-space report for people, one section below the other. */
export function renderKeyspace(report: SourcedSummary, options: Options): string {
  const { style, top } = options;
  const sections: [title: string, text: string][] = [
    ['Types', typesTable(report)],
    ['Encodings', encodingsTable(report)],
    ['Time to live', ttlTable(report)],
    [prefixTitle(report), prefixTable(report, options)],
    ['Largest by memory', keyTable(report.keys, ({ memory }) => memory, options)],
    ['Largest by bytes in the dump', keyTable(report.keys, ({ bytes }) => bytes, options)],
    [
      'Most elements',
      keyTable(
        report.keys.filter(({ elements }) => elements > 1),
        ({ elements }) => elements,
        options,
      ),
    ],
    ['Sizes of values', bucketTable(report.sizes, (below) => formatBytes(below))],
    ['Not used for', report.idle === null ? '' : bucketTable(report.idle, formatSpan)],
    ['Access counters', report.frequency === null ? '' : bucketTable(report.frequency, String)],
  ];
  return [
    header(report),
    ...sections
      .filter(([, text]) => text !== '')
      .map(([title, text]) => `${style.strong(title)}\n${indent(text)}`),
    ...(report.totals.keys > 0 && top > 0 ? [] : ['There are no keys.']),
  ].join('\n\n');
}

function header({
  source,
  rdb,
  created_at: created,
  totals,
  empty,
  used_memory: used,
  selection,
  stored,
  prefixes,
}: SourcedSummary): string {
  const server = rdb.aux['valkey-ver'] ?? rdb.aux['redis-ver'];
  const by =
    server === undefined ? '' : ` by ${rdb.aux['valkey-ver'] === undefined ? 'redis' : 'valkey'} ${server}`;
  const only = [
    selection.database === null ? [] : [`database ${selection.database}`],
    selection.type === null ? [] : [`type ${selection.type}`],
  ].flat();
  const all = only.length === 0;
  const rows: Cell[][] = [
    ['source', source],
    [
      'made',
      `${created === null ? 'at an unknown time' : created.slice(0, 19).replace('T', ' ')}${created === null ? '' : ' UTC'}${by}`,
    ],
    ...(all ? [] : [['only', only.join(', ')]]),
    ...(stored
      ? [['report', `as it was kept${prefixes.complete ? '' : ', with the largest prefixes'}`]]
      : []),
    [
      'keys',
      `${count(totals.keys)}, ${share(totals.keys - totals.expiring, totals.keys)} of them never expire`,
    ],
    ...(empty === undefined
      ? []
      : [
          [
            'empty',
            `${count(empty)} of them have no element: servers leave such keys out, or refuse the dump`,
          ],
        ]),
    ['in the dump', formatBytes(totals.bytes)],
    [
      'in memory',
      `about ${formatBytes(totals.memory)}${used === null || !all ? '' : ` of ${formatBytes(used)} that the server used`}`,
    ],
  ];
  return renderTable([{ title: '' }, { title: '' }], rows);
}

const right = (title: string): Column => ({ title, align: 'right' });

function tallyCells({ keys, elements, bytes, memory, expiring }: KeyTally): string[] {
  return [
    count(keys),
    count(elements),
    formatBytes(bytes),
    formatBytes(memory),
    share(keys - expiring, keys),
  ];
}

const tallyColumns = [
  right('KEYS'),
  right('ELEMENTS'),
  right('BYTES'),
  right('MEMORY'),
  right('NEVER EXPIRE'),
];

function typesTable({ databases, types, totals }: KeyspaceSummary): string {
  if (types.length === 0) return '';
  const rows = databases.flatMap(({ database, types: each }) =>
    each.map((tally, index) => [index === 0 ? `db${database}` : '', tally.type, ...tallyCells(tally)]),
  );
  const sum = rows.length > 1 ? [['all', '', ...tallyCells(totals)]] : [];
  return renderTable([{ title: 'DB' }, { title: 'TYPE' }, ...tallyColumns], [...rows, ...sum]);
}

function encodingsTable({ types }: KeyspaceSummary): string {
  const rows = types.flatMap(({ type, encodings }) =>
    encodings.map((tally, index) => [
      index === 0 ? type : '',
      tally.encoding,
      ...tallyCells(tally).slice(0, 4),
    ]),
  );
  return rows.length === 0
    ? ''
    : renderTable([{ title: 'TYPE' }, { title: 'ENCODING' }, ...tallyColumns.slice(0, 4)], rows);
}

function ttlTable({ ttl, totals }: KeyspaceSummary): string {
  if (totals.keys === 0) return '';
  const rows = ttl.buckets.map((bucket): [string, { keys: number; bytes: number }] => [
    ttlName(bucket),
    bucket,
  ]);
  return shares([...rows, ['never', ttl.never]], totals);
}

function ttlName({ below }: Bucket): string {
  if (below === null) return 'later';
  return below === 0 ? 'expired' : `< ${formatSpan(below)}`;
}

function bucketTable(buckets: readonly Bucket[], name: (below: number) => string): string {
  const sum = (of: (bucket: Bucket) => number): number =>
    buckets.reduce((all, bucket) => all + of(bucket), 0);
  const totals = { keys: sum(({ keys }) => keys), bytes: sum(({ bytes }) => bytes) };
  if (totals.keys === 0) return '';
  const first = buckets.findIndex(({ keys }) => keys > 0);
  const last = buckets.findLastIndex(({ keys }) => keys > 0);
  const rows = buckets
    .slice(first, last + 1)
    .map((bucket): [string, Bucket] => [bucket.below === null ? 'more' : `< ${name(bucket.below)}`, bucket]);
  return shares(rows, totals);
}

/** A bar for the share of keys. */
function shares(
  rows: readonly (readonly [name: string, part: { keys: number; bytes: number }])[],
  totals: { keys: number; bytes: number },
): string {
  const cells = 20;
  return renderTable(
    [{ title: '' }, right('KEYS'), right(''), right('BYTES'), { title: '' }],
    rows.map(([name, { keys, bytes }]) => [
      name,
      count(keys),
      share(keys, totals.keys),
      formatBytes(bytes),
      '█'.repeat(keys === 0 ? 0 : Math.max(1, Math.round((keys / totals.keys) * cells))),
    ]),
  );
}

function prefixTitle({ prefixes: { separator, missed } }: KeyspaceSummary): string {
  const about =
    missed === 0 ? '' : `; more than could be kept, so each may lack up to ${formatBytes(missed)}`;
  return `Prefixes (divided by ${separator ?? 'nothing'}${about})`;
}

function prefixTable({ prefixes, totals }: KeyspaceSummary, { width, top }: Options): string {
  const list = firstUnrepeated(prefixes.list, top, (a, b) => a.keys === b.keys);
  const rows = list.map(({ prefix, types, keys, bytes, memory, expiring }) => [
    shorten(prefix, width - 57),
    types.length === 1 ? (types[0] ?? '') : 'mixed',
    count(keys),
    formatBytes(bytes),
    formatBytes(memory),
    share(memory, totals.memory),
    share(keys - expiring, keys),
  ]);
  return rows.length === 0
    ? ''
    : renderTable(
        [
          { title: 'PREFIX' },
          { title: 'TYPE' },
          right('KEYS'),
          right('BYTES'),
          right('MEMORY'),
          right(''),
          right('NEVER EXP.'),
        ],
        rows,
      );
}

function keyTable(
  keys: readonly LargeKey[],
  measure: (key: LargeKey) => number,
  { width, top }: Options,
): string {
  const largest = keys.toSorted((a, b) => measure(b) - measure(a)).slice(0, top);
  const databases = new Set(keys.map(({ database }) => database)).size > 1;
  const rows = largest.map(({ database, key, type, elements, bytes, memory, expires_at: expires }) => [
    shorten(key, width - (databases ? 56 : 50)),
    ...(databases ? [`db${database}`] : []),
    type,
    count(elements),
    formatBytes(bytes),
    formatBytes(memory),
    expires === null ? '' : 'expires',
  ]);
  const columns = [
    { title: 'KEY' },
    ...(databases ? [{ title: 'DB' }] : []),
    { title: 'TYPE' },
    right('ELEMENTS'),
    right('BYTES'),
    right('MEMORY'),
    { title: '' },
  ];
  return rows.length === 0 ? '' : renderTable(columns, rows);
}
