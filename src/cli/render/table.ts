import { stripVTControlCharacters } from 'node:util';
import { printable } from '../../lib/text/printable.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** A cell: text from anywhere, and how to paint it once it has been made safe. */
export type Cell = string | { text: string; paint: (text: string) => string };

/** Aligned columns, two spaces apart, no rules, no trailing blanks; without titles when all are empty. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const header = columns.map(({ title }) => title);
  const lines = [...(header.some(Boolean) ? [header] : []), ...rows.map((row) => row.map(paintCell))];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => visibleLength(line[index] ?? ''))),
  );
  return lines
    .map((line) =>
      line
        .map((cell, index) => {
          const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - visibleLength(cell)));
          return columns[index]?.align === 'right' ? padding + cell : cell + padding;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function paintCell(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.paint(printable(cell.text));
}

function visibleLength(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}
