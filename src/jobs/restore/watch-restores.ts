import { isHeld } from '../../state/locks/lock.ts';
import { often, type Job, type JobContext, type JobResult } from '../job.ts';
import { interruptedRestore } from './interrupted-restore.ts';
import { recoverLiveJob } from './live/recover-live.ts';
import { interruptedRule } from './rules.ts';

/** Is there a restore that was cut off? Looks at two small files; the server and the repository may be away. */
export const watchRestoresJob: Job<object, boolean> = {
  name: 'watch-restores',
  effect: 'work',
  unrecorded: true,
  command: 'status',
  lock: 'watch-restores',
  uses: [],
  rules: [interruptedRule],
  schedule: () => ({
    cron: often,
    jitter: 0,
    lastDone: () => 'never',
    start: (perform) => perform(watchRestoresJob, {}),
  }),
  run,
};

async function run(context: JobContext): Promise<JobResult<boolean>> {
  const found = readInterrupted(context);
  return {
    value: found !== undefined,
    summary: found?.summary ?? 'no restore was cut off',
    findings: found === undefined ? [] : [found],
    evaluated: [{ rules: [interruptedRule.id] }],
  };
}

/** What a restore that was cut off has left; undefined, too, while something works on that repository: it may be the restore. */
export function readInterrupted(
  context: Pick<JobContext, 'settings' | 'instance'>,
): ReturnType<typeof interruptedRestore> {
  const { settings, instance } = context;
  const lock = { instance: instance.name, kind: recoverLiveJob.lock };
  return interruptedRestore(context, () => isHeld(settings.state.path, lock));
}
