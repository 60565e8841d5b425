import type { EvidenceLine } from '../../../domain/task.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { openFindings } from '../../../state/episodes.ts';
import { lastRun } from '../../../state/runs.ts';
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

/** What the jobs have found of some rules and is still open. */
export function openOf(rules: readonly string[], fine: string) {
  return ({ state, instance }: EvidenceSource): Promise<EvidenceLine[]> => {
    const open = openFindings(state, instance.name).filter(({ rule }) => rules.includes(rule));
    return Promise.resolve(
      open.length === 0
        ? [{ text: fine, ok: true }]
        : open.map(({ summary }) => ({ text: summary, ok: false })),
    );
  };
}
