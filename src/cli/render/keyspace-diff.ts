import type { Amounts, Change } from '../../keyspace/diff.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import type { KeysDiffResult } from '../../app/dumps/report-pair.ts';
import { count, firstUnrepeated, indent, share, shorten } from './keyspace-text.ts';
import type { Style } from './style.ts';
import { renderTable, type Cell, type Column } from './table.ts';
import { wrap } from './wrap.ts';

interface Options {
  style: Style;
  width: number;
  top: number;
}

/** Columns of the prefix table besides the name. */
const otherColumns = 58;
const day = 86_400;

/** What changed, for people. */
export function renderKeyspaceDiff(diff: KeysDiffResult, options: Options): string {
  const { style, width } = options;
  const sections: [title: string, text: string][] = [
    ['Types', typesTable(diff)],
    [prefixTitle(diff, options), prefixTable(diff, options)],
  ];
  const shown = sections.filter(([, text]) => text !== '');
  return [
    header(diff),
    totalsTable(diff),
    ...shown.map(([title, text]) => `${style.strong(title)}\n${indent(text)}`),
    ...(shown.length === 0 ? ['Nothing has changed.'] : []),
    ...notes(diff).map((note) => style.faint(wrap(note, Math.min(width, 100)))),
  ].join('\n\n');
}

function header({ before, after, seconds }: KeysDiffResult): string {
  return renderTable(
    [{ title: '' }, { title: '' }],
    [
      ['before', `${made(before.created_at)}, ${before.source}`],
      ['after', `${made(after.created_at)}, ${after.source}`],
      ...(seconds === null ? [] : [['between', formatTimeBetween(seconds)]]),
    ],
  );
}

function made(at: string | null): string {
  return at === null ? 'made at an unknown time' : `${at.slice(0, 19).replace('T', ' ')} UTC`;
}

function formatTimeBetween(seconds: number): string {
  const length = formatDuration(Math.abs(seconds) * 1000);
  return seconds < 0 ? `${length}; the first is the newer one` : length;
}

const right = (title: string): Column => ({ title, align: 'right' });

function totalsTable({ totals, before, after, seconds }: KeysDiffResult): string {
  const row = (name: string, from: number, to: number, format: (amount: number) => string): string[] => [
    name,
    format(from),
    format(to),
    signed(to - from, format),
    from === 0 || from === to ? '' : signedShare(to - from, from),
    // Of less than an hour it would be a guess.
    seconds === null || seconds < 3600 || from === to ? '' : signed(((to - from) / seconds) * day, format),
  ];
  const rows: Cell[][] = [
    row('keys', totals.before.keys, totals.after.keys, wholeCount),
    row('never expire', neverExpire(totals.before), neverExpire(totals.after), wholeCount),
    row('in the dump', totals.before.bytes, totals.after.bytes, formatBytes),
    row('in memory, about', totals.before.memory, totals.after.memory, formatBytes),
    ...(before.used_memory === null || after.used_memory === null
      ? []
      : [row('used by the server', before.used_memory, after.used_memory, formatBytes)]),
  ];
  const aDay = rows.some((cells) => cells[5] !== '');
  const columns = [
    { title: '' },
    ...['BEFORE', 'AFTER', 'CHANGE', '', ...(aDay ? ['A DAY'] : [])].map(right),
  ];
  return renderTable(
    columns,
    rows.map((cells) => cells.slice(0, columns.length)),
  );
}

const neverExpire = ({ keys, expiring }: Amounts): number => keys - expiring;

function typesTable({ types }: KeysDiffResult): string {
  if (types.length === 0) return '';
  const rows = types.map((row) => [`db${row.database}`, row.type, ...changeCells(row)]);
  return renderTable([{ title: 'DB' }, { title: 'TYPE' }, ...changeColumns], rows);
}

const changeColumns: Column[] = [{ title: '' }, ...['KEYS', 'BYTES', 'MEMORY', 'NOW'].map(right)];

function changeCells(row: Change): string[] {
  const { delta, after } = row;
  return [
    wordFor(row),
    signed(delta.keys, wholeCount),
    signed(delta.bytes, formatBytes),
    signed(delta.memory, formatBytes),
    after === null ? '' : formatBytes(after.memory),
  ];
}

function wordFor({ change, exact, delta }: Change): string {
  if (change === 'appeared') return exact ? 'appeared' : 'entered';
  if (change === 'vanished') return exact ? 'vanished' : 'left';
  if (change !== 'other') return change;
  return delta.keys === 0 && delta.bytes === 0 && delta.memory === 0 ? 'expiry' : 'changed';
}

function prefixTitle({ prefixes }: KeysDiffResult, { top }: Options): string {
  const { separator, list } = prefixes;
  const some = list.length > top ? `, the largest changes of ${count(list.length)}` : '';
  return `Prefixes (divided by ${separator ?? 'nothing'}${some})`;
}

function prefixTable({ prefixes }: KeysDiffResult, { width, top }: Options): string {
  const rows = firstUnrepeated(
    prefixes.list,
    top,
    (a, b) => a.before?.keys === b.before?.keys && a.after?.keys === b.after?.keys,
  ).map((row) => [shorten(row.prefix, width - otherColumns), ...changeCells(row)]);
  return rows.length === 0 ? '' : renderTable([{ title: 'PREFIX' }, ...changeColumns], rows);
}

/** What the numbers do not say by themselves. */
function notes({ before, after, prefixes, types }: KeysDiffResult): string[] {
  const stored = [before, after].filter((side) => side.stored).length;
  const inexact = [...prefixes.list, ...types].some(({ exact }) => !exact);
  const servers = before.engine !== after.engine || before.rdb_version !== after.rdb_version;
  return [
    ...(stored === 2
      ? ['From the reports that are kept; no dump was read.']
      : stored === 1
        ? ['One of the two is a report that was kept, the other was read.']
        : []),
    ...(prefixes.comparable
      ? []
      : ['The two reports divide names differently, so their prefixes cannot be compared.']),
    ...(inexact && stored > 0
      ? [
          'A kept report holds only the largest prefixes: "entered" and "left" mean that a prefix is now, or is no longer, ' +
            'among them; it changed by at most what is shown. --full reads the dumps.',
        ]
      : []),
    ...(prefixes.missed > 0
      ? [
          `There are more prefixes than could be counted: each may lack up to ${formatBytes(prefixes.missed)}, and one that ` +
            '"entered" or "left" may have been there before, or be there still, with no more than that.',
        ]
      : []),
    ...(servers
      ? ['The two were made by different servers, whose use of memory is estimated for each in its own way.']
      : []),
  ];
}

function signed(amount: number, format: (amount: number) => string): string {
  if (amount === 0) return '';
  return amount > 0 ? `+${format(amount)}` : format(amount);
}

function signedShare(part: number, whole: number): string {
  return `${part > 0 ? '+' : '-'}${share(Math.abs(part), whole)}`;
}

function wholeCount(amount: number): string {
  return count(Math.round(amount));
}
