/** `1,234,567` */
export function count(number: number): string {
  return String(number).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `12%`; the dash where there is no whole. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (percent > 0 && percent < 1) return '<1%';
  return percent < 100 && percent > 99 ? '>99%' : `${Math.round(percent)}%`;
}

/** Of seconds: `5 min`, `2 h`, `30 d`. */
export function formatSpan(seconds: number): string {
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86_400 ? `${seconds / 3600} h` : `${seconds / 86_400} d`;
}

/** The beginning and the end of what is too long. */
export function shorten(text: string, room: number): string {
  const characters = Array.from(text);
  const width = Math.max(room, 16);
  if (characters.length <= width) return text;
  const tail = Math.floor((width - 1) / 3);
  return `${characters.slice(0, width - 1 - tail).join('')}…${characters.slice(-tail).join('')}`;
}

export function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

interface Line {
  prefix: string;
  depth: number;
}

/** The first lines that say something new; `same`: do two lines say the same of their keys? */
export function firstUnrepeated<Row extends Line>(
  list: readonly Row[],
  most: number,
  same: (a: Row, b: Row) => boolean,
): Row[] {
  const first: Row[] = [];
  for (const row of list) {
    if (first.length === most) break;
    if (!list.some((other) => same(row, other) && repeats(row, other))) first.push(row);
  }
  return first;
}

/** Says a line nothing that the other does not? All keys of `app:` are in `app:users:`; or `user:*:` has all keys of `user:`. */
function repeats(row: Line, other: Line): boolean {
  if (other.depth > row.depth) return other.prefix.startsWith(row.prefix) && other.prefix.at(-2) !== '*';
  const isId = row.prefix.at(-2) === '*';
  return isId && other.depth === row.depth - 1 && row.prefix.startsWith(other.prefix);
}
