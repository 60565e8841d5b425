import type { EvidenceLine } from '../../../domain/task.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { openFindings } from '../../../state/episodes.ts';
import { lastRun } from '../../../state/runs.ts';
import { wasMeasured } from '../../../state/series/measured.ts';
import type { EvidenceSource } from './source.ts';

/** The newest run of a job that came to its end, and what it said. */
export function lastRunOf(job: string) {
  return ({ state, instance, standing, now }: EvidenceSource): Promise<EvidenceLine[]> => {
    const run = lastRun(state, instance.name, job, 'ok');
    const failed = lastRun(state, instance.name, job, 'failed');
    const lines: EvidenceLine[] =
      run === undefined
        ? [{ text: 'it has not run yet', ok: false }]
        : [
            {
              text: `${run.summary ?? 'done'} (${formatDuration(now - run.started_at)} ago)${standing === 'overdue' ? ': it is due again since then' : ''}`,
              ok: standing !== 'overdue',
            },
          ];
    if (failed !== undefined && failed.started_at > (run?.started_at ?? 0))
      lines.push({ text: `the last one failed: ${failed.summary ?? 'see the log'}`, ok: false });
    return Promise.resolve(lines);
  };
}

/** So long after an audit it says nothing more: it comes every month. */
const month = 32 * 24 * 60 * 60 * 1000;

/** What audit and daemon have found of some rules and is still open; unknown where neither has looked for a month. */
export function openOf(rules: readonly string[], fine: string) {
  return ({ state, series, instance, now }: EvidenceSource): Promise<EvidenceLine[]> => {
    const open = openFindings(state, instance.name).filter(({ rule }) => rules.includes(rule));
    const looked =
      ['audit', 'quiet-audit'].some(
        (job) => (lastRun(state, instance.name, job, 'ok')?.started_at ?? 0) > now - month,
      ) || wasMeasured(series(), instance.name, { since: now - month, now });
    return Promise.resolve(
      open.length > 0
        ? open.map(({ summary }) => ({ text: summary, ok: false }))
        : [
            looked
              ? { text: fine, ok: true }
              : { text: 'nobody has looked for a month: redis-agent audit', ok: null },
          ],
    );
  };
}
