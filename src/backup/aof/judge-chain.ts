import type { AofFileFacts, AofProblem } from './facts.ts';

/** Seconds by which `#TS:` may be behind a base's own time: both are whole seconds of one clock. */
const tolerance = 2;

/**
 * Do base and incrs belong together? Servers do not check it, and apply an incr twice that the base holds already. It can
 * be told by the offsets that newer servers note, by `#TS:` annotations (aof-timestamp-enabled) against the base's own
 * time, and by the order in which files were last written. Without any of these nothing is said.
 */
export function judgeChain(files: readonly AofFileFacts[]): AofProblem[] {
  const base = files.find(({ type }) => type === 'b');
  const incrs = files.filter(({ type }) => type === 'i');
  return [
    ...(base === undefined ? [] : judgeBase(base, incrs)),
    ...incrs.flatMap((incr, at) => judgeNext(incrs[at - 1], incr)),
  ];
}

function judgeBase({ name, scan }: AofFileFacts, incrs: readonly AofFileFacts[]): AofProblem[] {
  const created = scan.preamble?.createdAt;
  const older = incrs.find(({ scan: { timestamps } }) => timestamps !== undefined);
  const first = older?.scan.timestamps?.first;
  if (created === undefined || older === undefined || first === undefined || first >= created - tolerance)
    return [];
  return [
    mismatch(
      older.name,
      `${older.name} begins at ${iso(first)} and ${name} was made at ${iso(created)}: its commands would be applied a second time`,
    ),
  ];
}

function judgeNext(
  before: AofFileFacts | undefined,
  { name, extra, scan, modified }: AofFileFacts,
): AofProblem[] {
  if (before === undefined) return [];
  const ended = offsetOf(before.extra, 'endoffset');
  const started = offsetOf(extra, 'startoffset');
  if (ended !== undefined && started !== undefined && started !== ended)
    return [
      mismatch(
        name,
        `${name} begins at replication offset ${started} and ${before.name} ends at ${ended}: ${started > ended ? 'something is missing between them' : 'they overlap'}`,
      ),
    ];
  const last = before.scan.timestamps?.last;
  const first = scan.timestamps?.first;
  if (last !== undefined && first !== undefined)
    return first >= last - tolerance
      ? []
      : [
          mismatch(
            name,
            `${name} begins at ${iso(first)}, and ${before.name} before it ends at ${iso(last)}`,
          ),
        ];
  if (BigInt(before.modified) <= BigInt(modified)) return [];
  return [
    {
      verdict: 'mismatch',
      severity: 'info',
      file: name,
      summary: `${before.name} comes before ${name}, and was written later: were files exchanged, or copied without their times?`,
      remedy: 'if they were copied, nothing; else restore a backup',
    },
  ];
}

function offsetOf(extra: AofFileFacts['extra'], key: string): number | undefined {
  const value = extra.find(([name]) => name.toLowerCase() === key)?.[1];
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function mismatch(file: string, summary: string): AofProblem {
  return {
    verdict: 'mismatch',
    severity: 'critical',
    file,
    summary,
    remedy: 'do not restart the server with it; while it runs, BGREWRITEAOF makes a whole set anew',
  };
}

/** Beyond what a date can be, a file may still say it. */
function iso(seconds: number): string {
  return seconds < 8.64e12 ? new Date(seconds * 1000).toISOString() : `second ${seconds}`;
}
