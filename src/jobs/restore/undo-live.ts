import { LiveJournal, type LiveRecord } from '../../backup/restore/live-journal.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Job, JobContext } from '../job.ts';
import { noticesOf } from './files/steps.ts';
import { restoreJob } from './restore-job.ts';

export const planUndo: Job<object, string | null>['run'] = async (context) => {
  const value = await replacedByLive(context);
  const summary = `${context.instance.name}: the last restore was ${value === null ? 'none by live' : 'live'}`;
  return { value, summary, findings: [], evaluated: [] };
};

async function replacedByLive(context: JobContext): Promise<string | null> {
  const { settings, instance } = context;
  const last = new LiveJournal(settings.state.path, instance.name).last();
  if (last === undefined || Date.parse(last.started_at) < (await lastByFiles(context, last))) return null;
  if (last.pre_backup !== null) return last.pre_backup;
  throw new AgentError('refused', `the live restore of ${last.backup} has kept nothing of what was there`, {
    reason: 'missing',
    hint: 'it was an empty server, or --no-pre-backup was given; see: redis-agent backups list',
  });
}

/** When a restore by files began that can be undone, or is to be ended; where that is not to be seen, long ago. */
async function lastByFiles(context: JobContext, { started_at: live }: LiveRecord): Promise<number> {
  try {
    const options = { which: 'latest', undo: true, dryRun: true, allow: [] };
    const { value } = await restoreJob.run(context, options);
    return value.undo === null ? Infinity : Date.parse(value.undo.restored_at);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof AgentError) || error.reason === 'journal') throw error;
    // It is there, and not for everybody to see.
    const notices = noticesOf(context);
    if ([notices.read(), notices.last()].some((one) => one !== undefined && one.started_at > live))
      throw error;
    return -Infinity;
  }
}
