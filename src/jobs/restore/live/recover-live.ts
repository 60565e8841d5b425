import { LiveJournal } from '../../../backup/restore/live-journal.ts';
import { LiveServer } from '../../../backup/restore/live-server.ts';
import { finishLive, type LiveOutcome } from '../../../backup/restore/finish-live.ts';
import { often, type Job, type JobContext } from '../../job.ts';

export interface LiveRecovery {
  /** The backup that was to be restored. */
  backup: string;
  outcome: LiveOutcome;
  /** What was there before; null when it was not kept. */
  pre_backup: string | null;
}

/** Ends a live restore that was killed; null when there is none. */
export const recoverLiveJob: Job<object, LiveRecovery | null> = {
  name: 'recover-restore',
  effect: 'work',
  command: 'restore',
  lock: 'repository',
  uses: ['server'],
  rules: [],
  // A restore that is under way has its record, too, and the lock.
  schedule: (settings, instance) => ({
    cron: often,
    jitter: 0,
    lastDone: () => 'never',
    start: async (perform) =>
      interruptedLive({ settings, instance }) === null ? null : await perform(recoverLiveJob, {}),
  }),
  async run(context) {
    const value = await recoverLive(context);
    const summary =
      value === null ? 'no restore was interrupted' : `interrupted restore ended: ${value.outcome}`;
    return { value, summary, findings: [], evaluated: [] };
  },
};

/** What an earlier run has left, for people; null when nothing. */
export function interruptedLive({
  settings,
  instance,
}: Pick<JobContext, 'settings' | 'instance'>): string | null {
  const record = new LiveJournal(settings.state.path, instance.name).read();
  if (record === undefined) return null;
  return `a live restore of ${record.backup}, begun ${record.started_at}, was interrupted at ${record.phase}: the server is set free first`;
}

/** A killed agent leaves its server behind as a replica of nobody, which refuses writes. Needs the repository's lock. */
export async function recoverLive(context: JobContext): Promise<LiveRecovery | null> {
  const { clock, log, signal, settings, instance, progress } = context;
  const journal = new LiveJournal(settings.state.path, instance.name);
  const record = journal.read();
  if (record === undefined) return null;
  progress.report({ phase: 'ending an interrupted restore' });
  const server = new LiveServer(() => context.connect(), { clock, signal });
  try {
    const outcome = await finishLive(record, { server, journal, clock, signal });
    log.warn({ backup: record.backup, phase: record.phase, outcome }, 'ended an interrupted live restore');
    return { backup: record.backup, outcome, pre_backup: record.pre_backup };
  } finally {
    server.close();
  }
}
