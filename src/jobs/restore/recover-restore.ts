import type { Job, JobContext } from '../job.ts';
import { restoreDeclaration } from './declaration.ts';
import { begunNoteOf, noticesOf } from './files/steps.ts';
import { interruptedLive } from './live/recover-live.ts';
import { recoverRestore } from './restore.ts';

/** The job `restore` once more, as far as one that was killed needs it: back where nothing was placed yet, else on. */
export const recoverRestoreJob: Job<object, string | null> = {
  ...restoreDeclaration,
  effect: 'work',
  async run(context) {
    const value = await recoverRestore(context);
    return { value, summary: value ?? 'no restore was interrupted', findings: [], evaluated: [] };
  },
};

/** By two small files of ours: has a restore begun that has not told of its end? */
export function hasBegun(context: Pick<JobContext, 'settings' | 'instance'>): boolean {
  return (
    interruptedLive(context) !== null ||
    begunNoteOf(context).readIfSound() !== undefined ||
    noticesOf(context).read() !== undefined
  );
}
