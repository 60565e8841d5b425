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
  const rows = seen.map((mark) => {
    const at = round(x(mark.at));
    const name = markup`<title>${formatMoment(mark.at, timezone)} ${mark.label}</title>`;
    if (mark.shape === 'diamond')
      return markup`<path class="mark tone-${mark.tone}" d="M${at} 6l6 7l-6 7l-6 -7z">${name}</path>`;
    return markup`<circle class="mark ${mark.shape} tone-${mark.tone}" cx="${at}" cy="33" r="5"
      >${name}</circle>`;
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
      role="img"
      aria-label="${title}: ${plural(seen.length, 'mark', 'marks')} in this span; the table below lists the newest"
    >
      <line class="grid" x1="0" x2="${width}" y1="33" y2="33" />
      ${rows}
    </svg>
    <div class="x">
      <span>${formatMoment(from, timezone)}</span><span>${formatMoment(to, timezone)}</span>
    </div>
  </figure>`;
}
