import type { CheckedAof } from '../../backup/aof/check-set.ts';
import type { AofPart } from '../../backup/aof/copy-set.ts';
import type { OpenAofSet } from '../../backup/aof/open-set.ts';
import { AgentError } from '../../domain/errors.ts';
import { atLeast } from '../../domain/finding.ts';

/** What a server would load of each file: up to its last whole command. */
export function soundParts({ scanned }: CheckedAof): AofPart[] {
  return scanned.map(({ file, scan }) => ({
    file,
    bytes: scan.end.state === 'unknown' ? file.size : scan.sound,
  }));
}

/** What a set that is not sound is in the way of, and what is to be done then. */
interface Need {
  /** `… cannot be restored` */
  what: string;
  /** Left out: what is to be done on the server whose set it is. */
  instead?: string;
  /** May its end be cut off, as a server does? */
  torn: boolean;
}

/** A set that a server loads. Throws an AgentError with what is wrong with it. */
export function requireSound(
  { set, scanned, problems }: CheckedAof,
  { what, instead, torn }: Need,
): OpenAofSet {
  const worst = problems.find(
    ({ severity, verdict }) => atLeast(severity, 'high') || (verdict === 'torn' && !torn),
  );
  // The tail of what cannot be read cannot be cut to whole commands.
  const unread = scanned.at(-1)?.scan.end.state === 'unknown';
  if (set !== undefined && worst === undefined && !unread) return set;
  const { summary, remedy } = worst ?? problems[0] ?? { summary: 'its AOF cannot be read', remedy: '' };
  const [message, hint] = [`${what}: ${summary}`, instead ?? remedy];
  if (worst === undefined) throw new AgentError('failed', message, { reason: 'unknown', hint });
  throw new AgentError('damaged', message, { reason: worst.verdict, hint });
}
