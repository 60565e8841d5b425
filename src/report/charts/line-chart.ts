import { area, line } from 'd3-shape';
import type { Chart } from '../document.ts';
import { markup, Markup } from '../html/markup.ts';
import { formatMoment, formatValue, summarize } from '../model/format.ts';
import { height, scalesOf, width } from './scale.ts';

/** A chart of lines over time as a figure: the curves are SVG, the words around them HTML, so that they stay readable. */
export function renderChart(chart: Chart, timezone: string): Markup {
  const { x, y, ticks } = scalesOf(chart);
  const draw = line<Chart['lines'][number]['points'][number]>()
    .defined(([, value]) => value !== null)
    .x(([at]) => x(at))
    .y(([, value]) => y(value ?? 0));
  const spread = area<{ at: number; low: number; high: number }>()
    .x(({ at }) => x(at))
    .y0(({ low }) => y(low))
    .y1(({ high }) => y(high));
  const gaps = chart.lines.flatMap(({ points }, index) =>
    lonely(points).map(
      ([at, value]) =>
        markup`<circle class="dot line-${index + 1}" cx="${x(at)}" cy="${y(value ?? 0)}" r="2" />`,
    ),
  );
  const limits = chart.limits.filter(({ value }) => value <= (ticks.at(-1) ?? 0));
  return markup`<figure class="chart">
    <figcaption>${chart.title}${legendOf(chart)}</figcaption>
    <div class="plot">
      <div class="y">
        ${ticks.toReversed().map((tick) => markup`<span>${formatValue(tick, chart.unit)}</span>`)}
      </div>
      <svg
        viewBox="0 0 ${width} ${height}"
        preserveAspectRatio="none"
        role="img"
        aria-label="${describe(chart, timezone)}"
      >
        ${ticks.map((tick) => markup`<line class="grid" x1="0" x2="${width}" y1="${y(tick)}" y2="${y(tick)}" />`)}
        ${chart.band === null ? markup`` : markup`<path class="band" d="${path(spread(chart.band.points))}" />`}
        ${limits.map(({ value, tone }) => markup`<line class="limit tone-${tone}" x1="0" x2="${width}" y1="${y(value)}" y2="${y(value)}" />`)}
        ${chart.lines.map(({ points }, index) => markup`<path class="line line-${index + 1}" d="${path(draw(points))}" />`)}${gaps}
      </svg>
      <div class="x">${axis(chart).map((at) => markup`<span>${label(at, chart, timezone)}</span>`)}</div>
    </div>
  </figure>`;
}

/** A path is longer than any text of a page: made here, of numbers alone. */
function path(d: string | null): Markup {
  if (!/^[-MLZ0-9.,e]*$/.test(d ?? '')) throw new TypeError('a path holds more than numbers');
  return new Markup(d ?? '');
}

/** Points between two gaps: a line through one point is not seen. */
function lonely(points: Chart['lines'][number]['points']): Chart['lines'][number]['points'] {
  return points.filter(
    ([, value], index) =>
      value !== null &&
      (points[index - 1]?.[1] ?? null) === null &&
      (points[index + 1]?.[1] ?? null) === null,
  );
}

function axis({ from, to }: Chart): number[] {
  return [0, 1, 2, 3, 4].map((quarter) => from + (quarter / 4) * (to - from));
}

function label(at: number, { from, to }: Chart, timezone: string): string {
  const text = formatMoment(at, timezone);
  return to - from > 2 * 24 * 60 * 60 * 1000 ? text.slice(5, 10) : text.slice(11);
}

function legendOf({ lines, limits, band, unit }: Chart): Markup {
  const entries = [
    ...(lines.length > 1
      ? lines.map(({ name }, index) => markup`<span class="key line-${index + 1}">${name}</span>`)
      : []),
    ...limits.map(
      ({ name, value, tone }) =>
        markup`<span class="key tone-${tone}">${name} ${formatValue(value, unit)}</span>`,
    ),
    ...(band === null ? [] : [markup`<span class="key band">${band.name}</span>`]),
  ];
  return entries.length === 0 ? markup`` : markup`<span class="legend">${entries}</span>`;
}

/** What a chart shows, in words. */
export function describe({ title, unit, lines, from, to }: Chart, timezone: string): string {
  const parts = lines.flatMap(({ name, points }) => {
    const all = summarize(points);
    if (all === undefined) return [];
    const [low, high, last] = [all.low, all.high, all.last].map((value) => formatValue(value, unit));
    return [`${name} between ${low} and ${high}, last ${last}`];
  });
  return `${title}, ${formatMoment(from, timezone)} to ${formatMoment(to, timezone)}: ${parts.join('; ')}`;
}
