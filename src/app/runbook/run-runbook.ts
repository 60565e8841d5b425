import { AgentError, hasReason } from '../../domain/errors.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Progress } from '../../domain/progress.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { parseInfo } from '../../formats/info/parse-info.ts';
import type { App } from '../build-app.ts';
import {
  asRenamed,
  runbookTopics,
  type Runbook,
  type RunbookReport,
  type RunbookTopic,
  type RunbookContext,
} from './report.ts';
import { compromisedRunbook } from './topics/compromised.ts';
import { connectionsRunbook } from './topics/connections.ts';
import { downRunbook } from './topics/down.ts';
import { fullDiskRunbook } from './topics/full-disk.ts';
import { lockedOutRunbook } from './topics/locked-out.ts';
import { memoryRunbook } from './topics/memory.ts';
import { queueRunbook } from './topics/queue.ts';
import { slowRunbook } from './topics/slow.ts';

const runbooks: Record<RunbookTopic, Runbook> = {
  down: downRunbook,
  memory: memoryRunbook,
  slow: slowRunbook,
  queue: queueRunbook,
  connections: connectionsRunbook,
  'full-disk': fullDiskRunbook,
  'locked-out': lockedOutRunbook,
  compromised: compromisedRunbook,
};

export interface RunbookOptions {
  clock: Clock;
  signal: AbortSignal;
  progress: Progress;
}

/** Nobody in an emergency waits longer for a server that does not answer. Milliseconds. */
const patience = 3000;

/** Looks, and says what to do next; changes nothing. Without a topic: all of them, those that apply first. */
export async function runRunbooks(
  app: App,
  instance: InstanceSettings,
  topic: RunbookTopic | undefined,
  options: RunbookOptions,
): Promise<RunbookReport[]> {
  const reports: RunbookReport[] = [];
  for (const each of topic === undefined ? runbookTopics : [topic]) {
    options.progress.report({ phase: `looking: ${each}` });
    const context = await openContext(app, instance, options);
    try {
      const at = new Date(options.clock.now()).toISOString();
      const { steps, ...said } = await runbooks[each](context);
      const named = steps.map((step) => ({ ...step, command: asRenamed(instance, step.command) }));
      reports.push({ topic: each, instance: instance.name, at, ...said, steps: named });
    } finally {
      context.connection?.close();
    }
  }
  return reports.toSorted((a, b) => Number(b.applies) - Number(a.applies));
}

async function openContext(
  app: App,
  instance: InstanceSettings,
  { clock, signal, progress }: RunbookOptions,
): Promise<RunbookContext> {
  const context: RunbookContext = {
    app,
    instance,
    clock,
    signal,
    progress,
    connection: undefined,
    failure: undefined,
    info: new Map(),
    roundTrip: undefined,
  };
  try {
    const connection = await app.connect(instance, signal, { timeout: patience });
    context.connection = connection;
    const begun = clock.monotonic();
    await connection.call('PING').catch(requireUsable);
    context.roundTrip = clock.monotonic() - begun;
    context.info = parseInfo(String(await connection.call('INFO', 'all')));
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'usage') throw error;
    signal.throwIfAborted();
    context.failure = error;
    context.connection?.close();
    context.connection = undefined;
  }
  return context;
}

/** With these a server refuses a PING and answers INFO. */
function requireUsable(error: unknown): void {
  if (!hasReason(error, 'loading', 'misconf', 'masterdown', 'noperm')) throw error;
}
