import type { Journal } from '../../../harden/apply/journal.ts';
import { AgentError } from '../../../domain/errors.ts';
import type { JobContext } from '../../job.ts';
import { adminConnect, inspectServer, type Admin, type InspectedServer } from '../inspect-server.ts';
import { isGone, closeJournal, type HardenRun } from './run.ts';
import { controlOf, runFor } from './apply.ts';
import { startAgain } from './restart.ts';
import { takeBack } from './take-back.ts';
import { dropPasswords } from './users.ts';

/** What was found of an earlier run and what has become of it; for people. */
export interface Recovered {
  journal: Journal;
  outcome: 'finished' | 'rolled-back';
}

/** The server, with nothing left of an earlier run that was killed. */
export interface Ready {
  inspected: InspectedServer;
  run: HardenRun;
  recovered: Recovered | null;
}

/**
 * Looks at the server. What an earlier run has left half done is ended first: what had come to the end is noted as done,
 * all else is taken back. A server that was down at that moment is started.
 */
export async function makeReady(
  context: JobContext,
  admin: Admin | undefined,
  onStep: HardenRun['onStep'] = () => {},
  also: readonly string[] = [],
): Promise<Ready> {
  const inspected = await inspectServer(context, admin, also).catch(async (error: unknown) => {
    if (!isGone(error)) throw error;
    return await reviveDown(context, admin, onStep, error);
  });
  try {
    const run = await runFor(context, inspected, onStep);
    const journal = await run.journals.read();
    if (journal === undefined) return { inspected, run, recovered: null };
    const recovered = await recover(run, journal);
    // Values and files are others now; and the lifeline may be a new one, to a server that was started again.
    inspected.connection.close();
    run.lifeline?.close();
    const again = await inspectServer(context, admin, also);
    return {
      inspected: again,
      run: await runFor(context, again, onStep),
      recovered: { journal, outcome: recovered },
    };
  } catch (error) {
    inspected.connection.close();
    throw error;
  }
}

async function recover(run: HardenRun, journal: Journal): Promise<Recovered['outcome']> {
  if (journal.step === 'commit') {
    await closeJournal(run, journal, 'done');
    return 'finished';
  }
  if (['validate', 'keep', 'passwords'].includes(journal.step)) {
    dropPasswords(run, journal);
    await closeJournal(run, { ...journal, problem: 'it was cut off before it had begun' }, 'rolled-back');
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
): Promise<InspectedServer> {
  const { instance } = context;
  const { service, user } = await context.host.look(undefined);
  const { file, directives = [] } = service?.arguments ?? {};
  if (file?.startsWith('/') !== true) throw error;
  const files = context.serverFiles({ file, directives }, user);
  const journals = await files.journals();
  const journal = await journals.read();
  if (journal?.restart !== true) throw error;
  if (journal.instance !== instance.name)
    throw new AgentError('refused', `the journal in ${journals.path} is another instance’s`, {
      reason: 'journal',
    });
  const run: HardenRun = {
    context,
    connect: adminConnect(context, admin),
    lifeline: undefined,
    files,
    journals,
    service: controlOf(context, { user }, async () => {}),
    onStep,
  };
  await startAgain(run).catch(async (cause: unknown) => {
    // With the files as they would be it does not come up: they go back first.
    await takeBack(run, journal, cause instanceof Error ? cause.message : 'it did not start');
  });
  run.lifeline?.close();
  return await inspectServer(context, admin);
}
