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
  const sorted = list.toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1));
  const byName = new Map(list.map((row) => [`${row.depth} ${row.prefix}`, row]));
  const first: Row[] = [];
  for (const row of list) {
    if (first.length === most) break;
    if (!isInOneBelow(row, sorted, same) && !isTheOneAbove(row, byName, same)) first.push(row);
  }
  return first;
}

/** All keys of `app:` are in `app:users:`. */
function isInOneBelow<Row extends Line>(
  row: Row,
  sorted: readonly Row[],
  same: (a: Row, b: Row) => boolean,
): boolean {
  // What begins like the row stands together, and a row is passed once for each one above it.
  for (let at = firstFrom(sorted, row.prefix); at < sorted.length; at++) {
    const other = sorted[at];
    if (other === undefined || !other.prefix.startsWith(row.prefix)) return false;
    if (other.depth > row.depth && !isId(other) && same(row, other)) return true;
  }
  return false;
}

/** `user:*:` has all keys of `user:`. */
function isTheOneAbove<Row extends Line>(
  row: Row,
  byName: ReadonlyMap<string, Row>,
  same: (a: Row, b: Row) => boolean,
): boolean {
  if (!isId(row)) return false;
  for (let length = row.prefix.length - 1; length > 0; length--) {
    const above = byName.get(`${row.depth - 1} ${row.prefix.slice(0, length)}`);
    if (above !== undefined) return same(row, above);
  }
  return false;
}

function isId({ prefix }: Line): boolean {
  return prefix.at(-2) === '*';
}

/** Where the first line stands whose prefix is not before `prefix`. */
function firstFrom(sorted: readonly Line[], prefix: string): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle]?.prefix ?? '') < prefix) from = middle + 1;
    else to = middle;
  }
  return from;
}
