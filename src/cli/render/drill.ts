import { counted } from '../../lib/text/counted.ts';
import type { DrillRecord } from '../../domain/drill.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import type { Style } from './style.ts';
import { renderTable, type Cell } from './table.ts';

/** One drill: the verdict, and how long each part took. */
export function renderDrill(drill: DrillRecord, style: Style): string {
  const { seconds, bytes, stored_bytes: stored, server, compared } = drill;
  const rows: Cell[][] = [
    ['fetch', time(seconds.fetch), `${formatBytes(stored)} from the repository`],
    ['decode', time(seconds.decode), `to ${formatBytes(bytes)}, every hash`],
    ['check', time(seconds.check), `with the programs of ${server.engine} ${server.version}`],
    ['load', time(seconds.load), loadedOf(drill)],
    [
      'recovery',
      { text: time(drill.recovery_seconds), paint: style.strong },
      'until the data is there again',
    ],
    ['compare', time(seconds.compare), compared === null ? '' : counted(compared.elements, 'element')],
  ];
  const verdict = drill.ok ? style.good('restores') : style.bad('DOES NOT RESTORE');
  const done = rows.filter(([, took]) => took !== '' && (typeof took === 'string' || took?.text !== ''));
  return [
    `${style.strong(`backup ${drill.backup}`)} ${verdict}`,
    printable(drill.summary),
    renderTable([{ title: '' }, { title: '', align: 'right' }, { title: '' }], done),
    ...(compared?.differences ?? []).map((line) => style.bad(`  ${printable(line)}`)),
  ].join('\n');
}

function loadedOf({ keys, loaded_as: form }: DrillRecord): string {
  if (keys === null) return '';
  return `${counted(keys, 'key')}, ${form === 'rdb' ? 'as dump.rdb' : 'as an append only file'}`;
}

/** Of seconds. */
function time(value: number | null): string {
  return value === null ? '' : formatDuration(value * 1000);
}
