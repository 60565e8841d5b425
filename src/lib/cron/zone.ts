const second = 1000;

/** How far a time zone's clocks are ahead of UTC, milliseconds. */
export interface Zone {
  offsetAt(moment: number): number;
  /** The one change between two moments, or the offset where there is none. */
  changeBetween(from: number, to: number): { at: number; before: number; after: number } | { offset: number };
}

/** By its IANA name; the host's own where none is given. Throws a RangeError where there is none of that name. */
export function zoneOf(timezone: string | undefined): Zone {
  // Dates know it without what is needed for names of zones, which takes a fifth of what an empty Node takes.
  if (timezone === undefined) return zoneBy((moment) => -new Date(moment).getTimezoneOffset() * 60 * second);
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offsetAt = (moment: number): number => {
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const shown = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    return shown - Math.floor(moment / second) * second;
  };
  return zoneBy(offsetAt);
}

function zoneBy(offsetAt: (moment: number) => number): Zone {
  return {
    offsetAt,
    changeBetween(from, to) {
      const [before, after] = [offsetAt(from), offsetAt(to)];
      if (before === after) return { offset: before };
      let [low, high] = [Math.floor(from / second), Math.ceil(to / second)];
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (offsetAt(middle * second) === before) low = middle;
        else high = middle;
      }
      return { at: high * second, before, after };
    },
  };
}
