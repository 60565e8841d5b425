import type { Rule } from '../../domain/rule.ts';
import { counted, verb } from '../../lib/text/counted.ts';
import { blinding, type SharedVerdict } from './verdict.ts';

export const lastWritesRule: Rule = {
  id: 'PER04',
  severity: 'critical',
  title: 'the last save or AOF write failed',
  why: 'What was written since then is in memory alone, and writes may be refused (MISCONF).',
  page: 'docs/findings/audit-per.md',
  keepFiring: 0,
  inhibitedBy: [...blinding, 'writes-refused'],
};

/** Fields of INFO, which are the resources: each may fail by itself. */
export const lastWrites = {
  save: 'rdb_last_bgsave_status',
  rewrite: 'aof_last_bgrewrite_status',
  write: 'aof_last_write_status',
} as const;

/** How what was written last has ended; undefined: the server does not say. */
export interface LastWrites {
  saveOk: boolean | undefined;
  /** Changes since the last snapshot that succeeded. */
  changes: number | undefined;
  aofEnabled: boolean;
  rewriteOk: boolean | undefined;
  writeOk: boolean | undefined;
  /** Its data can be had again from elsewhere. */
  isCache: boolean;
}

export function judgeLastWrites(seen: LastWrites): SharedVerdict[] {
  const { saveOk, changes, aofEnabled, rewriteOk, writeOk, isCache } = seen;
  const found: SharedVerdict[] = [];
  if (saveOk === false) {
    const since = changes === undefined ? 'what changed since' : `${counted(changes, 'change')} since`;
    const are = changes === undefined ? 'is' : verb(changes, 'is', 'are');
    found.push({
      resource: lastWrites.save,
      // An AOF has them too.
      severity: aofEnabled || isCache ? 'high' : 'critical',
      summary: `the server’s last snapshot failed; ${since} ${are} in ${aofEnabled ? 'the append only file' : 'memory'} only`,
      remedy: 'see its log for why (disk full, rights of its dir, memory for the fork), then: BGSAVE',
      evidence: { changes: changes ?? null },
    });
  }
  // What is left of an AOF that was switched off means nothing.
  if (aofEnabled && writeOk === false)
    found.push({
      resource: lastWrites.write,
      severity: 'critical',
      summary: 'the last write to the append only file failed: writes are refused',
      remedy: 'make room on its disk or mend its rights; the server goes on by itself then',
      evidence: { last_write: 'failed' },
    });
  if (aofEnabled && rewriteOk === false)
    found.push({
      resource: lastWrites.rewrite,
      severity: 'high',
      summary: 'the last rewrite of the append only file failed: it grows until one succeeds',
      remedy: 'see the server’s log for why (memory for the fork, disk), then: BGREWRITEAOF',
      evidence: { last_rewrite: 'failed' },
    });
  return found;
}
