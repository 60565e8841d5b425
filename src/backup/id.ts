/** `20261121T060000Z-7f3a`: when it was asked for (UTC) and four random hex digits. Sorts by time. */
const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{4}$/;

/** Makes a backup id. `random` is 0..65535. */
export function makeBackupId(now: number, random: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${time}Z-${random.toString(16).padStart(4, '0')}`;
}

/** When the backup of this id was asked for, milliseconds; undefined when the text is no backup id. */
export function backupIdTime(id: string): number | undefined {
  const [, year, month, day, hour, minute, second] = form.exec(id) ?? [];
  if (year === undefined) return undefined;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** How far the server's clock, which names backups, may be ahead of ours. Milliseconds. */
const clockTolerance = 60 * 60 * 1000;

/** Was this backup taken while a clock was wrong, so that it seems to come from the future? */
export function isAhead(id: string, now: number): boolean {
  return (backupIdTime(id) ?? 0) > now + clockTolerance;
}

/**
 * Orders ids, oldest first. What seems to come from the future is put before all others: when it was taken is not known, and
 * it must not stand for the newest until that day comes.
 */
export function byAge(now: number): (a: string, b: string) => number {
  return (a, b) => Number(isAhead(b, now)) - Number(isAhead(a, now)) || (a < b ? -1 : a > b ? 1 : 0);
}
