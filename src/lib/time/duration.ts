const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const units: [string, number][] = [
  ['d', day],
  ['h', hour],
  ['m', minute],
  ['s', second],
  ['ms', 1],
];

/** Milliseconds of `500ms`, `15s`, `5m`, `6h` or `7d`; undefined when the text is none of these. */
export function parseDuration(text: string): number | undefined {
  const [, digits = '', unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  const size = units.find(([name]) => name === unit)?.[1];
  if (size === undefined) return undefined;
  const ms = Number(digits) * size;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest text that parseDuration turns back into exactly `ms` (a whole number): `90m`, `13h`. */
export function writeDuration(ms: number): string {
  const [name, size] = units.find(([, each]) => ms % each === 0 && ms >= each) ?? (['s', second] as const);
  return `${ms / size}${name}`;
}

/** A length of time for people, two units at most: `350ms`, `5.2s`, `2m 05s`, `1h 02m`, `3d 04h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (Math.round(ms) < second) return `${Math.round(ms)}ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  // Rounded once, to the smaller unit shown, so that 59m 59.7s becomes 1h 00m and never 59m 60s.
  const seconds = Math.round(ms / second);
  if (seconds < 3600) return pair(seconds, 60, 'm', 's');
  const minutes = Math.round(ms / minute);
  if (minutes < 24 * 60) return pair(minutes, 60, 'h', 'm');
  return pair(Math.round(ms / hour), 24, 'd', 'h');
}

function pair(amount: number, base: number, large: string, small: string): string {
  return `${Math.floor(amount / base)}${large} ${String(amount % base).padStart(2, '0')}${small}`;
}
