import type { Rule } from '../../domain/rule.ts';
import { counted } from '../../lib/text/counted.ts';
import type { Denial } from '../acl-log.ts';
import { blinding, type SharedVerdict } from './verdict.ts';

/**
 * A server that loads its AOF as a user without rights (`user default off` in a file) drops every write of it and starts,
 * as if all were well. What is left are the errors that the loading client was answered with.
 */
export const replayRule: Rule = {
  id: 'PER07',
  severity: 'critical',
  title: 'the AOF replay has dropped commands',
  why: 'The user default could not do everything when the AOF was loaded: what it could not do is missing now. It is still in the file, and gone for good with its next rewrite.',
  page: 'docs/findings/audit-per.md',
  keepFiring: 0,
  inhibitedBy: blinding,
};

export const replayResource = 'aof-replay';

export interface Replay {
  aofEnabled: boolean;
  /** A replica counts errors of what its master sends too. */
  master: boolean;
  /** Commands of clients that wait for no reply which were answered with an error. */
  refused: number;
  /** Those that ACL LOG has of the client that loads. */
  logged: number;
  /** Commands that were refused for want of a right, of anybody. */
  noperm: number;
  /** Rewrites since the start. */
  rewrites: number;
  /** Where its files are. */
  folder: string | undefined;
  /** When the process was started, and when a finding that is open was last seen to be true; milliseconds since the epoch. */
  startedAt: number;
  seenAt: number | undefined;
}

/** undefined: somebody has zeroed the statistics of the process that has dropped something, which mends nothing. */
export function judgeReplay(replay: Replay): SharedVerdict[] | undefined {
  const { aofEnabled, master, refused, logged, noperm, rewrites, folder, startedAt, seenAt } = replay;
  if (!aofEnabled || !master) return [];
  const dropped = Math.max(refused, logged);
  if (dropped === 0) return seenAt !== undefined && startedAt <= seenAt ? undefined : [];
  const rewritten = rewrites > 0;
  const what = `AOF replay dropped ${counted(dropped, 'command')}${noperm > 0 || logged > 0 ? ' (user default, NOPERM)' : ''}`;
  return [
    {
      resource: replayResource,
      severity: 'critical',
      summary: rewritten
        ? `${what}, and the file was rewritten since: only a backup can bring them back`
        : `${what}; what it dropped is still in the file until that is rewritten`,
      remedy: rewritten
        ? 'list what there is: redis-agent backups list; then: redis-agent restore ID, with the ACL mended first'
        : `1. CONFIG SET auto-aof-rewrite-percentage 0, no BGREWRITEAOF, and copy the AOF${folder === undefined ? '' : ` (in ${folder})`}; 2. have the file say: user default off resetpass ~* &* +@all; 3. restart: they replay`,
      evidence: { dropped, noperm, rewritten },
    },
  ];
}

/** How many commands of the client that loads an AOF the log has. It has no address. */
export function replayDenialsIn(log: readonly Denial[]): number {
  return log
    .filter(({ reason, address }) => reason !== 'auth' && /^(?:\?:0)?$/.test(address))
    .reduce((sum, { count }) => sum + count, 0);
}
