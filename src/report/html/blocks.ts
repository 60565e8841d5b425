import { renderChart } from '../charts/line-chart.ts';
import { round } from '../charts/scale.ts';
import { renderTimeline } from '../charts/timeline.ts';
import type { Block, Figure, Table, TableCell, Tone } from '../document.ts';
import { markup, type Markup } from './markup.ts';

/** The blocks of a section; charts that follow each other stand side by side where there is room. */
export function renderBlocks(blocks: readonly Block[], timezone: string): Markup[] {
  return blocks.map((block, index) => {
    const [before, after] = [blocks[index - 1]?.kind, blocks[index + 1]?.kind];
    const first = block.kind === 'chart' && before !== 'chart' && after === 'chart';
    const last = block.kind === 'chart' && before === 'chart' && after !== 'chart';
    const content = renderBlock(block, timezone);
    return markup`${first ? open : none}${content}${last ? close : none}`;
  });
}

const open = markup`<div class="charts">`;
const close = markup`</div>`;
const none = markup``;

function renderBlock(block: Block, timezone: string): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p class="tone-${block.tone}">${block.text}</p>`;
    case 'heading':
      return markup`<h3>${block.text}</h3>`;
    case 'figures':
      return markup`<dl class="figures">${block.figures.map(renderFigure)}</dl>`;
    case 'table':
      return renderTable(block.table);
    case 'chart':
      return renderChart(block.chart, timezone);
    case 'timeline':
  }
  return renderTimeline(block.timeline, timezone);
}

function renderFigure({ label, value, note, tone }: Figure): Markup {
  const more = note === null ? markup`` : markup`<span class="note">${note}</span>`;
  return markup`<div class="figure">
    <dt>${label}</dt>
    <dd><span class="tone-${tone}">${value}</span>${more}</dd>
  </div>`;
}

/** A table of fewer columns has room on a telephone. */
const broadFrom = 5;

function renderTable({ caption, columns, rows, empty }: Table): Markup {
  if (rows.length === 0) return markup`<p><b>${caption}:</b> ${empty}</p>`;
  // With the roles written out, since a narrow screen shows rows that hold sentences as blocks.
  const wordy = rows.some((row) => row.some(({ text }, index) => isSentence(text, columns[index]?.align)));
  // Of many columns of figures a narrow screen would show the first few: there each figure stands behind its title.
  const broad = columns.length >= broadFrom && columns.some(({ align }) => align === 'right');
  const head = columns.map(
    ({ title, align }) => markup`<th scope="col" role="columnheader" class="${align}">${title}</th>`,
  );
  const body = rows.map(
    (row) =>
      markup`<tr role="row">
        ${row.map((cell, index) => renderCell(cell, columns[index]))}
      </tr> `,
  );
  // Reachable by keyboard, since it may scroll on a narrow screen.
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table role="table" class="${[wordy || broad ? 'stacked' : '', broad ? 'broad' : ''].join(' ').trim()}">
      <caption>
        ${caption}
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          ${head}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${body}
      </tbody>
    </table>
  </div>`;
}

function renderCell({ text, tone, share }: TableCell, column: Table['columns'][number] | undefined): Markup {
  const align = column?.align ?? 'left';
  const bar =
    share === null
      ? markup``
      : markup`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
          <rect width="${round(100 * Math.min(1, share))}" height="1" />
        </svg>`;
  // Moments, single words and the ids of backups stay on one line.
  const tight = align === 'left' ? (isSentence(text, align) ? 'left' : 'left tight') : align;
  const title = align === 'right' ? markup` data-title="${column?.title ?? ''}"` : markup``;
  return markup`<td role="cell" class="${tight}"${title}>${painted(text, tone)}${bar}</td>`;
}

function isSentence(text: string, align: string | undefined): boolean {
  return align === 'left' && text.length > (text.includes(' ') ? 17 : 24);
}

function painted(text: string, tone: Tone): Markup {
  return tone === 'none' ? markup`${text}` : markup`<span class="tone-${tone}">${text}</span>`;
}
