import { scaleLinear } from 'd3-scale';
import type { Chart } from '../document.ts';

/** The picture is as wide and high as this in its own units, and is stretched to the room that the page has. */
export const width = 1000;
export const height = 200;

export interface Scales {
  x: (at: number) => number;
  y: (value: number) => number;
  /** Values of the horizontal lines, from the lowest to the highest, evenly spaced. */
  ticks: number[];
}

/** Scales that hold every line and the band; a limit that is far above is left out, so that the lines can be seen. */
export function scalesOf(chart: Chart): Scales {
  const values = [
    ...chart.lines.flatMap(({ points }) => points.flatMap(([, value]) => (value === null ? [] : [value]))),
    ...(chart.band?.points.flatMap(({ low, high }) => [low, high]) ?? []),
  ];
  const highest = values.reduce((high, value) => Math.max(high, value), 0);
  const top = chart.limits.reduce(
    (high, { value }) => (value <= highest * 4 ? Math.max(high, value) : high),
    highest,
  );
  const unit = chart.unit === 'bytes' ? binaryUnit(top) : 1;
  const ceiling = chart.unit === 'percent' ? 100 : top === 0 ? unit : top * 1.05;
  const vertical = scaleLinear()
    .domain([0, ceiling / unit])
    .nice(4)
    .range([height, 0]);
  const horizontal = scaleLinear().domain([chart.from, chart.to]).range([0, width]);
  return {
    x: (at) => round(horizontal(at)),
    y: (value) => round(Math.min(height, Math.max(0, vertical(value / unit)))),
    ticks: vertical.ticks(4).map((tick) => tick * unit),
  };
}

function binaryUnit(bytes: number): number {
  return bytes < 1024 ? 1 : 1024 ** Math.min(5, Math.floor(Math.log2(bytes) / 10));
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
