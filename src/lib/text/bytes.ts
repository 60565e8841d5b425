const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/**
 * Bytes of a size as redis.conf writes it: `1k` = 1000, `1kb` = 1024, likewise m and g, any case, plain digits or `b`
 * for bytes (redis.conf, "Note on units"). Undefined when the text is none of these.
 */
export function parseBytes(text: string): number | undefined {
  const [, digits, prefix, b] = /^(\d+)([kmg]?)(b?)$/.exec(text.toLowerCase()) ?? [];
  if (digits === undefined) return undefined;
  const power = ['', 'k', 'm', 'g'].indexOf(prefix ?? '');
  const bytes = Number(digits) * (b === 'b' ? 1024 : 1000) ** power;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A size for people in binary units: `512 B`, `1.4 GiB`, `23 MiB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  let amount = bytes;
  let power = 0;
  // 1023.5 would print as 1024 of the smaller unit.
  while (power < names.length - 1 && amount >= 1023.5) {
    amount /= 1024;
    power += 1;
  }
  const digits = power > 0 && amount < 9.95 ? 1 : 0;
  return `${amount.toFixed(digits)} ${names[power]}`;
}
