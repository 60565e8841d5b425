import { AgentError, hasReason, messageOf } from '../../../domain/errors.ts';
import { readInfo } from '../../../redis/server.ts';
import { isGone, type HardenRun } from './run.ts';

/** Milliseconds. A large data set loads for minutes, and its manager is told to wait for it. */
const longestStart = 60 * 60_000;
const longestStop = 30 * 60_000;

/** Stops the server and starts it again; resolves when it has loaded its data. What it holds is saved first. */
export async function restartServer(run: HardenRun): Promise<void> {
  const service = requireControl(run);
  const { context } = run;
  const forever = new AbortController().signal;
  try {
    await service.stop(forever);
    await untilDown(run);
    await run.onStep('down');
    await service.start(forever);
    await untilServing(run);
  } finally {
    await service.release();
  }
  context.log.info({}, 'the server was started again');
}

/** Of one that is down, by us or by itself. */
export async function startAgain(run: HardenRun): Promise<void> {
  const service = requireControl(run);
  try {
    await service.start(new AbortController().signal);
    await untilServing(run);
  } finally {
    await service.release();
  }
}

function requireControl({ service, context }: HardenRun): NonNullable<HardenRun['service']> {
  if (service !== undefined) return service;
  throw new AgentError('refused', `nothing says how ${context.instance.name} is stopped and started`, {
    reason: 'service',
    hint: 'set service: of this instance, to its systemd unit or to { start: [PROGRAM, …] }',
  });
}

async function untilDown({ connect, context }: HardenRun): Promise<void> {
  const start = context.clock.monotonic();
  for (;;) {
    try {
      (await connect()).close();
    } catch (error) {
      if (isGone(error)) return;
    }
    if (context.clock.monotonic() - start > longestStop)
      throw new AgentError('failed', 'the server does not end', { reason: 'stop' });
    await context.clock.sleep(50);
  }
}

async function untilServing(run: HardenRun): Promise<void> {
  const { context, service } = run;
  const start = context.clock.monotonic();
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 500)) {
    try {
      run.lifeline ??= await run.connect();
      if ((await readInfo(run.lifeline)).get('loading') !== '1') return;
      context.progress.report({ phase: 'loading' });
    } catch (error) {
      run.lifeline?.close();
      run.lifeline = undefined;
      const failure = await service?.failure();
      if (failure !== undefined) {
        const lines = (await service?.output()) ?? [];
        throw new AgentError(
          'failed',
          `the server does not come up: ${failure}; ${lines.at(-1) ?? messageOf(error)}`,
          {
            reason: 'start',
            cause: error,
          },
        );
      }
      // It is up, and whoever did this is not let in any more.
      const isOut = hasReason(error, 'wrongpass', 'noauth');
      if (isOut || context.clock.monotonic() - start > longestStart) throw error;
    }
    await context.clock.sleep(pause);
  }
}
