/** A span as systemctl shows it: `1min 30s`, `infinity`; undefined where it is none. */
export function systemdSeconds(text: string): number | undefined {
  if (text === 'infinity') return Infinity;
  const units: Record<string, number> = { d: 86_400, h: 3600, min: 60, s: 1, ms: 0.001, us: 0.000_001 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(min|ms|us|d|h|s)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, number, unit = 's']) => sum + Number(number) * (units[unit] ?? 1), 0);
}
