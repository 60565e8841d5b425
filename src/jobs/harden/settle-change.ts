import type { Job } from '../job.ts';
import { applyDeclaration } from './apply-job.ts';
import { describeSettled } from './apply-harden.ts';
import { makeReady } from './apply/settle.ts';
import type { Admin } from './scene.ts';

/** The job `harden` once more, as far as one that was killed needs it: noted as done where it had come to its end, else taken back. */
export const settleChangeJob: Job<{ admin: Admin | undefined }, string | null> = {
  ...applyDeclaration,
  async run(context, { admin }) {
    const { scene, run, settled } = await makeReady(context, admin);
    run.lifeline?.close();
    scene.connection.close();
    const value = settled === null ? null : describeSettled(settled);
    return { value, summary: value ?? 'no change was interrupted', findings: [], evaluated: [] };
  },
};
