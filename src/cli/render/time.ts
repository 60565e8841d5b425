const units: readonly (readonly [number, string])[] = [
  [24 * 60 * 60, 'd'],
  [60 * 60, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `5 min ago`, `in 3 h`, `now`. Milliseconds in. */
export function formatAge(at: number, now: number): string {
  const seconds = Math.round(Math.abs(now - at) / 1000);
  const [size, name] = units.find(([unit]) => seconds >= unit * (unit === 1 ? 1 : 1.5)) ?? [1, 's'];
  if (seconds < 1) return 'now';
  const amount = `${Math.round(seconds / size)} ${name}`;
  return at > now ? `in ${amount}` : `${amount} ago`;
}

/** `2026-11-21 06:00:00`, in the host's zone or the one given. */
export function formatTime(at: number, timezone: string | undefined): string {
  return new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'medium',
    ...(timezone === undefined ? {} : { timeZone: timezone }),
  }).format(at);
}
