import { scaleLinear } from 'd3-scale';
import type { Timeline } from '../document.ts';
import { markup, type Markup } from '../html/markup.ts';
import { formatMoment, plural } from '../model/format.ts';
import { round } from './scale.ts';

const width = 1000;
const height = 48;

/** Moments on a line: a shape says what, a colour how good. */
export function renderTimeline({ title, from, to, marks, legend }: Timeline, timezone: string): Markup {
  const x = scaleLinear()
    .domain([from, to])
    .range([8, width - 8]);
  const seen = marks.filter(({ at }) => at >= from && at <= to);
  // What is wrong is drawn last, so that nothing covers it.
  const order = [...seen.filter(({ tone }) => tone !== 'bad'), ...seen.filter(({ tone }) => tone === 'bad')];
  const rows = order.map((mark) => {
    const at = round(x(mark.at));
    const name = markup`<title>${formatMoment(mark.at, timezone)} ${mark.label}</title>`;
    // A line of no length is a dot that keeps its shape, however the picture is stretched.
    const y = mark.shape === 'square' ? 12 : 34;
    const dot = (kind: string) => markup`<path class="mark ${kind}" d="M${at} ${y}h0">${name}</path>`;
    return mark.shape === 'ring'
      ? markup`${dot(`tone-${mark.tone}`)}${dot('hole')}`
      : markup`${dot(`${mark.shape} tone-${mark.tone}`)}`;
  });
  return markup`<figure class="timeline">
    <figcaption>
      ${title}<span class="legend"
        >${legend.map(
          ({ label, shape, tone }) => markup`<span class="key ${shape} tone-${tone}">${label}</span>`,
        )}</span>
    </figcaption>
    <svg
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${title}: ${plural(seen.length, 'mark', 'marks')} in this span; the table below lists the newest"
    >
      <line class="grid" x1="0" x2="${width}" y1="34" y2="34" />
      ${rows}
    </svg>
    <div class="x">
      <span>${formatMoment(from, timezone)}</span><span>${formatMoment(to, timezone)}</span>
    </div>
  </figure>`;
}
