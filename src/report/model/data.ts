import type { KeyspaceSummary } from '../../domain/keyspace.ts';
import type { Block, Timeline } from '../document.ts';
import type { BackupFacts, InstanceFacts, PatternFacts, ReportFacts } from '../facts.ts';
import { cell, figure, formatCount, formatMoment, formatSpan, formatValue, plural } from './format.ts';

const listed = 12;

export function keyspaceBlocks({ keyspace }: InstanceFacts, { timezone }: ReportFacts): Block[] {
  if (keyspace === null)
    return [
      {
        kind: 'text',
        tone: 'none',
        text: 'No backup with a key report yet: redis-agent backup makes one.',
      },
    ];
  const { newest, at, before, patterns } = keyspace;
  const { totals } = newest;
  return [
    {
      kind: 'text',
      tone: 'none',
      text: `From the backup of ${formatMoment(at, timezone)}: reading it cost the server nothing.`,
    },
    {
      kind: 'figures',
      figures: [
        figure(
          'Keys',
          formatCount(totals.keys),
          before === null ? null : changed(totals.keys - before.summary.totals.keys),
        ),
        figure('Memory, estimated', formatValue(totals.memory, 'bytes')),
        figure(
          'With a time to live',
          totals.keys === 0 ? '–' : formatValue((100 * totals.expiring) / totals.keys, 'percent'),
          plural(totals.keys - totals.expiring, 'key never expires', 'keys never expire'),
        ),
      ],
    },
    table(
      'By type',
      ['Type', 'Keys', 'Elements', 'Memory'],
      newest.types
        .toSorted((a, b) => b.memory - a.memory)
        .map((type) => [
          cell(type.type, 'none', totals.memory === 0 ? 0 : type.memory / totals.memory),
          cell(formatCount(type.keys)),
          cell(formatCount(type.elements)),
          cell(formatValue(type.memory, 'bytes')),
        ]),
    ),
    ...(patterns.length === 0 ? [] : [patternTable(patterns)]),
    table(
      'By prefix, largest first',
      ['Prefix', 'Keys', 'Memory', 'Expiring', 'Grew by'],
      newest.prefixes.list
        .filter(({ depth }) => depth === 1)
        .toSorted((a, b) => b.memory - a.memory)
        .slice(0, listed)
        .map((prefix) => [
          cell(prefix.prefix, 'none', totals.memory === 0 ? 0 : prefix.memory / totals.memory),
          cell(formatCount(prefix.keys)),
          cell(formatValue(prefix.memory, 'bytes')),
          cell(prefix.keys === 0 ? '–' : formatValue((100 * prefix.expiring) / prefix.keys, 'percent')),
          cell(grewBy(prefix, before?.summary)),
        ]),
    ),
    table(
      'Largest keys',
      ['Key', 'Type', 'Elements', 'Memory'],
      newest.keys
        .slice(0, listed)
        .map((key) => [
          cell(key.key),
          cell(key.type),
          cell(formatCount(key.elements)),
          cell(formatValue(key.memory, 'bytes')),
        ]),
    ),
  ];
}

function table(caption: string, titles: string[], rows: ReturnType<typeof cell>[][]): Block {
  const columns = titles.map((title, index) => ({
    title,
    // Words stand at the left, figures at the right.
    align: index === 0 || title === 'Type' ? ('left' as const) : ('right' as const),
  }));
  return { kind: 'table', table: { caption, columns, rows, empty: 'None.' } };
}

function changed(by: number): string {
  return by === 0 ? 'as many as before' : `${by > 0 ? '+' : '−'}${formatCount(Math.abs(by))} in this span`;
}

function grewBy(prefix: { prefix: string; memory: number }, before: KeyspaceSummary | undefined): string {
  if (before === undefined) return '–';
  const old = before.prefixes.list.find((entry) => entry.prefix === prefix.prefix);
  // The list of a kept report is cut: what is not in it is not known to have been absent.
  if (old === undefined) return before.prefixes.complete ? 'new' : '–';
  const by = prefix.memory - old.memory;
  return by === 0 ? '0 B' : `${by > 0 ? '+' : '−'}${formatValue(Math.abs(by), 'bytes')}`;
}

/** To the key, where the report tells these keys from others. */
function patternTable(patterns: readonly PatternFacts[]): Block {
  return table(
    'Keys that the configuration names (monitor.patterns), counted in that backup',
    ['Name', 'Keys', 'Never expire', 'Memory'],
    patterns.map(({ name, match, counted }) => [
      cell(`${name} (${match})`),
      cell(counted === null ? 'not told apart' : formatCount(counted.keys)),
      counted === null
        ? cell('–')
        : cell(formatCount(counted.withoutTtl), counted.withoutTtl > 0 ? 'warning' : 'none'),
      cell(counted === null ? '–' : formatValue(counted.memory, 'bytes')),
    ]),
  );
}

export function backupBlocks({ backups }: InstanceFacts, { now, since, timezone }: ReportFacts): Block[] {
  if ('problem' in backups)
    return [{ kind: 'text', tone: 'bad', text: [backups.problem, backups.hint].filter(Boolean).join('; ') }];
  const newest = backups.at(-1);
  const proven = backups.findLast(({ proof }) => proof?.ok === true);
  const drilled = backups
    .flatMap(({ drill }) => (drill === null ? [] : [drill]))
    .toSorted((a, b) => b.at - a.at)[0];
  return [
    {
      kind: 'figures',
      figures: [
        figure('Backups', formatCount(backups.length), null, backups.length === 0 ? 'bad' : 'none'),
        newest === undefined
          ? figure('Newest', 'none', null, 'bad')
          : figure('Newest', `${formatSpan(now - newest.at)} old`, newest.id),
        proven === undefined
          ? figure('Newest proven', 'none', null, 'bad')
          : figure(
              'Newest proven',
              `${formatSpan(now - proven.at)} old`,
              proven.proof?.level ?? null,
              'good',
            ),
        drilled === undefined
          ? figure('Last drill', 'never', 'redis-agent drill', 'warning')
          : figure(
              'Last drill',
              drilled.ok ? 'restored' : 'DID NOT RESTORE',
              `${formatSpan(now - drilled.at)} ago${drilled.recoverySeconds === null ? '' : `, data back in ${formatValue(drilled.recoverySeconds, 'seconds')}`}`,
              drilled.ok ? 'good' : 'bad',
            ),
      ],
    },
    {
      kind: 'timeline',
      timeline: {
        title: 'Backups, proofs and drills',
        from: since,
        to: now,
        marks: backups.flatMap((backup) => marksOf(backup, timezone)),
        legend: [
          { label: 'backup, not proven', shape: 'ring', tone: 'warning' },
          { label: 'backup, proven', shape: 'dot', tone: 'good' },
          { label: 'damaged', shape: 'dot', tone: 'bad' },
          { label: 'drill', shape: 'square', tone: 'good' },
        ],
      },
    },
    {
      kind: 'table',
      table: {
        caption: 'Newest backups',
        columns: [
          { title: 'Backup', align: 'left' },
          { title: 'Kind', align: 'left' },
          { title: 'Keys', align: 'right' },
          { title: 'Stored', align: 'right' },
          { title: 'Proof', align: 'left' },
        ],
        rows: backups
          .toReversed()
          .slice(0, listed)
          .map(({ id, kind, keys, bytes, proof }) => [
            cell(id),
            cell(kind),
            cell(keys === null ? '–' : formatCount(keys)),
            cell(formatValue(bytes, 'bytes')),
            proof === null
              ? cell('none', 'warning')
              : cell(proof.ok ? proof.level : 'damaged', proof.ok ? 'good' : 'bad'),
          ]),
        empty: 'None.',
      },
    },
    ...(backups.length > listed
      ? [
          {
            kind: 'text' as const,
            tone: 'none' as const,
            text: `and ${plural(backups.length - listed, 'older one', 'older ones')}: redis-agent backups list`,
          },
        ]
      : []),
  ];
}

function marksOf({ id, at, proof, drill }: BackupFacts, timezone: string): Timeline['marks'] {
  const stored: Timeline['marks'] =
    proof === null
      ? [{ at, tone: 'warning', shape: 'ring', label: `${id}: not proven` }]
      : [
          {
            at,
            tone: proof.ok ? 'good' : 'bad',
            shape: 'dot',
            label: `${id}: ${proof.ok ? proof.level : 'damaged'}`,
          },
        ];
  if (drill === null) return stored;
  const became = drill.ok ? 'restored' : 'did not restore';
  const label = `drill of ${id}, ${formatMoment(drill.at, timezone)}: ${became}`;
  return [...stored, { at: drill.at, tone: drill.ok ? 'good' : 'bad', shape: 'square', label }];
}
