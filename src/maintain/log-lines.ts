/** A line of a server's log: `1234:M 29 Nov 2026 08:00:00.123 # text`. Levels: `.` debug, `-` verbose, `*` notice, `#` warning. */
const logLine = /^\d{1,10}:[A-Z] \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} ([.\-*#]) (.{1,400})/;

/** Warnings that say the same but for numbers, addresses and names. */
export interface LogWarning {
  fingerprint: string;
  count: number;
}

/**
 * The warnings of a log, most frequent first. A line that is no log line of a server is passed over, and nothing of it
 * is kept: the server names the file, and may name one with our secrets in it.
 */
export function countWarnings(lines: Iterable<string>): { warnings: LogWarning[]; lines: number } {
  const counts = new Map<string, number>();
  let seen = 0;
  for (const line of lines) {
    const [, level, text = ''] = logLine.exec(line) ?? [];
    if (level === undefined) continue;
    seen += 1;
    if (level !== '#' || banner.test(text)) continue;
    const fingerprint = fingerprintOf(text);
    // Bounded: a server may log anything, and each line another.
    if (counts.has(fingerprint) || counts.size < mostFingerprints)
      counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
  }
  const warnings = [...counts].map(([fingerprint, count]) => ({ fingerprint, count }));
  return { warnings: warnings.toSorted((a, b) => b.count - a.count), lines: seen };
}

/** Servers before 7.2 say at the level of warnings that they start. */
const banner = /^(?:oO0OoO0OoO0Oo |Redis version=|Valkey version=|Configuration loaded|Server initialized)/;

const mostFingerprints = 200;

function fingerprintOf(text: string): string {
  return text
    .replaceAll(/'[^']*'|"[^"]*"/g, "'*'")
    .replaceAll(/\b[0-9a-f]{16,}\b/gi, '*')
    .replaceAll(/(?<![\w.])[\d.:]*\d(?![\w.])/g, '*')
    .slice(0, 160);
}
