import { openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { actorBeside, actorFor } from '../../../harden/apply/look-at-files.ts';
import { openJournals, type Journal } from '../../../harden/apply/journal.ts';
import { AgentError } from '../../../domain/errors.ts';
import { actAs } from '../../../lib/act-as.ts';
import { configuredUser, findService } from '../../../redis/find-service.ts';
import type { JobContext } from '../../job.ts';
import { adminConnect, lookAtScene, type Admin, type HardenScene } from '../scene.ts';
import { isGone, settleAs, type HardenRun } from './run.ts';
import { runFor } from './apply.ts';
import { startAgain } from './restart.ts';
import { takeBack } from './take-back.ts';
import { dropPasswords } from './users.ts';

/** What was found of an earlier run and what has become of it; for people. */
export interface Settled {
  journal: Journal;
  outcome: 'finished' | 'rolled-back';
}

/** What was changed at the server, without settling anything. */
export async function settledChanges(context: JobContext, admin: Admin | undefined): Promise<Journal[]> {
  const scene = await lookAtScene(context, admin);
  scene.connection.close();
  const { as } = actorFor(scene.file, scene.user);
  return openJournals(dirname(realOf(scene)), as).settled();
}

/** The server, with nothing left of an earlier run that was killed. */
export interface Ready {
  scene: HardenScene;
  run: HardenRun;
  settled: Settled | null;
}

/**
 * Looks at the server. What an earlier run has left half done is settled first: what had come to the end is noted as done,
 * all else is taken back. A server that was down at that moment is started.
 */
export async function makeReady(
  context: JobContext,
  admin: Admin | undefined,
  onStep: HardenRun['onStep'] = () => {},
): Promise<Ready> {
  const scene = await lookAtScene(context, admin).catch(async (error: unknown) => {
    if (!isGone(error)) throw error;
    return await reviveDown(context, admin, onStep, error);
  });
  try {
    const realFile = realOf(scene);
    const actor = actorFor(scene.file, scene.user);
    const actorOf = (path: string): HardenRun['as'] => actorBeside(actor, path, scene.user).as;
    const run = runFor(context, scene, { as: actor.as, actorOf, realFile }, onStep);
    const journal = run.journals.read();
    if (journal === undefined) return { scene, run, settled: null };
    const settled = await settle(run, journal);
    // Values and files are others now.
    scene.connection.close();
    const again = await lookAtScene(context, admin);
    return {
      scene: again,
      run: runFor(context, again, { as: run.as, actorOf, realFile }, onStep),
      settled: { journal, outcome: settled },
    };
  } catch (error) {
    scene.connection.close();
    throw error;
  }
}

function realOf({ file, user }: HardenScene): string {
  return actAs(user, () => realpathSync(file));
}

async function settle(run: HardenRun, journal: Journal): Promise<Settled['outcome']> {
  if (journal.step === 'commit') {
    settleAs(run, journal, 'done');
    return 'finished';
  }
  if (['validate', 'keep', 'passwords'].includes(journal.step)) {
    dropPasswords(run, journal);
    settleAs(run, { ...journal, problem: 'it was cut off before it had begun' }, 'rolled-back');
    return 'rolled-back';
  }
  const own = journal.kind === 'rollback';
  await takeBack(
    run,
    journal,
    own ? journal.problem : (journal.problem ?? `it was cut off at ${journal.step}`),
  );
  return own ? 'finished' : 'rolled-back';
}

/** Only where a journal says that we have stopped it; else its being down is somebody’s will. */
async function reviveDown(
  context: JobContext,
  admin: Admin | undefined,
  onStep: HardenRun['onStep'],
  error: unknown,
): Promise<HardenScene> {
  const { instance, clock, signal } = context;
  const service = await findService(instance, undefined, { clock, signal });
  const file = service?.arguments?.file;
  const user = service?.user ?? configuredUser(instance);
  if (service === undefined || file?.startsWith('/') !== true) throw error;
  const actor = actorFor(file, user);
  const { as } = actor;
  const journals = openJournals(dirname(actAs(user, () => realpathSync(file))), as);
  const journal = journals.read();
  if (journal?.restart !== true) throw error;
  if (journal.instance !== instance.name)
    throw new AgentError('refused', `the journal in ${journals.path} is another instance’s`, {
      reason: 'journal',
    });
  const run: HardenRun = {
    context,
    connect: adminConnect(context, admin),
    lifeline: undefined,
    journals,
    as,
    actorOf: (path) => actorBeside(actor, path, user).as,
    service: service.control({
      end: async () => {},
      output: { open: () => openSync('/dev/null', 'w'), read: async () => '' },
      startIn: () => '/',
    }),
    onStep,
  };
  await startAgain(run).catch(async (cause: unknown) => {
    // With the files as they would be it does not come up: they go back first.
    await takeBack(run, journal, cause instanceof Error ? cause.message : 'it did not start');
  });
  run.lifeline?.close();
  return await lookAtScene(context, admin);
}
