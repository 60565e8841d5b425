const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** One value a column, from the lowest to the highest of them; a blank where there is none. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  return values
    .map((value) => {
      if (value === undefined) return ' ';
      // What does not change is a line low down, and no full block.
      const step =
        span === 0 ? 0 : Math.min(bars.length - 1, Math.floor(((value - low) / span) * bars.length));
      return bars[step] ?? '';
    })
    .join('');
}
