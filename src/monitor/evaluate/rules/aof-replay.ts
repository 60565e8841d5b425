import { counted } from '../../../lib/counted.ts';
import { sampleRule, type Evaluator } from '../evaluator.ts';
import { latestText, minute, nowOf } from '../view.ts';

/**
 * A server that loads its AOF as a user without rights (`user default off` in a file) drops every write of it and starts,
 * as if all were well. What is left are the errors that the loading client was answered with.
 */
export const aofReplay: Evaluator = {
  rule: sampleRule({
    id: 'aof-replay',
    severity: 'critical',
    title: 'Data was dropped while the append only file was loaded',
    why: 'The data is still in the file, and gone for good with its next rewrite.',
    keepFiring: 0,
  }),
  judge(view) {
    const { values } = nowOf(view);
    const errors = values['unexpected_errors_total'];
    if (errors === undefined || values['aof_enabled'] === undefined) return undefined;
    // A replica counts errors of what its master sends there too.
    if (values['aof_enabled'] !== 1 || values['master'] !== 1) return [];
    // Zeroed statistics of the same process mend nothing; a process that has started since is judged anew.
    const started = (values['uptime_seconds'] ?? 0) * 1000 < 15 * minute;
    if (errors === 0) return started || view.was('aof-replay', view.instance) === undefined ? [] : undefined;
    const noperm = values['noperm_errors_total'] ?? 0;
    const why = noperm > 0 ? ' (user default, NOPERM)' : '';
    // Rewritten since the start: what was dropped is not in the file any more.
    if ((values['aof_rewrites_total'] ?? 0) > 0)
      return [
        {
          severity: 'critical',
          summary: `AOF replay dropped ${counted(errors, 'command')}${why}, and the file was rewritten since: only a backup can bring them back`,
          remedy:
            'list what there is: redis-agent backups list; then: redis-agent restore ID, with the ACL mended first',
          evidence: { dropped: errors, noperm, rewritten: true },
        },
      ];
    const folder = latestText(view, 'dir');
    return [
      {
        severity: 'critical',
        summary: `AOF replay dropped ${counted(errors, 'command')}${why}; what it dropped is still in the file until that is rewritten`,
        remedy: `1. CONFIG SET auto-aof-rewrite-percentage 0, no BGREWRITEAOF, and copy the AOF${folder === undefined ? '' : ` (in ${folder})`}; 2. give user default its rights back in the file (user default on nopass or >…, ~* &* +@all, or leave its line out); 3. restart`,
        evidence: { dropped: errors, noperm, rewritten: false },
      },
    ];
  },
};
