/** Restores live and kills itself (SIGKILL) at a point: `scripts/node restore-live-child.ts CONFIG ID POINT [MODE]`. */
import { endHere } from '../house/end-here.ts';
import { restoreLive } from './restore-live.ts';

const [config = '', id = '', point = '', mode] = process.argv.slice(2);
const die = (at: string): void => {
  if (at === point) endHere();
};
await restoreLive(config, id, {
  preBackup: false,
  onPhase: die,
  // Progress tells of what happens inside a phase of the journal.
  progress: { report: ({ phase, done = 0, total = 1 }) => die(done >= total ? `${phase} done` : phase) },
  ...(mode === 'swapdb' || mode === 'disabled' ? { mode } : {}),
});
