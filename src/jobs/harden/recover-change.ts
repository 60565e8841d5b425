import type { Job } from '../job.ts';
import { applyDeclaration } from './apply-job.ts';
import { describeRecovered } from './apply-harden.ts';
import { makeReady } from './apply/recover.ts';
import type { Admin } from './inspect-server.ts';

/** The job `harden` once more, as far as one that was killed needs it: noted as done where it had come to its end, else taken back. */
export const recoverChangeJob: Job<{ admin: Admin | undefined }, string | null> = {
  ...applyDeclaration,
  async run(context, { admin }) {
    const { inspected, run, recovered } = await makeReady(context, admin);
    run.lifeline?.close();
    inspected.connection.close();
    const value = recovered === null ? null : describeRecovered(recovered);
    return { value, summary: value ?? 'no change was interrupted', findings: [], evaluated: [] };
  },
};
