import { counted } from '../../lib/text/counted.ts';
import type { JobContext, JobResult } from '../job.ts';
import { recordTaskEntry } from '../../state/tasks.ts';
import {
  JournalFile,
  lastingOf,
  rotationSteps,
  type RotationJournal,
  type RotationStep,
} from './rotate/journal.ts';
import { addressOf, findNodes, type NodeRequest, type RotationNode } from './rotate/nodes.ts';
import { describePlan, leaveToHand, requireSound, withOwnFile, type RotationPlan } from './rotate/plan.ts';
import type { Admin } from './inspect-server.ts';
import { openSentinels } from './rotate/sentinels.ts';
import { stepWork, type Rotation, type Straggler } from './rotate/steps.ts';

export interface RotateOptions {
  user: string;
  /** The instance’s own credential where nobody is named. */
  admin: Admin | undefined;
  nodes: readonly string[];
  sentinels: readonly string[];
  secretFiles: readonly string[];
  hooks: readonly string[];
  byHand: boolean;
  /** Milliseconds for old connections to end by themselves. */
  wait: number;
  /** Only the plan. */
  dryRun: boolean;
  /** The person who asked. */
  by: string;
  /** What the instance’s own credential is. */
  own: Admin;
  /** Told before a step’s work, and after it, before that is noted. */
  onStep?: ((step: RotationStep, moment: 'before' | 'after') => void) | undefined;
}

export interface RotationResult extends RotationPlan {
  dry_run: boolean;
  /** Both passwords are valid: a person changes files, and then runs the same command again. */
  waits: boolean;
  /** Connections with the old password when the time for them was over; they were closed. */
  stragglers: Straggler[];
  /** Who was refused since: they still have the old one. */
  refused: Rotation['refused'];
}

export async function rotatePassword(
  context: JobContext,
  options: RotateOptions,
): Promise<JobResult<RotationResult>> {
  const { instance, settings, signal, clock } = context;
  const { user, dryRun } = options;
  const file = new JournalFile(settings.state.path, instance.name, user);
  const before = file.read();
  const request = withOwnFile({
    instance,
    user,
    sentinels: before?.sentinels ?? options.sentinels,
    secretFiles: before?.secretFiles ?? options.secretFiles,
    hooks: before?.hooks ?? options.hooks,
    byHand: before?.byHand === true || options.byHand,
  });
  const admin = options.admin ?? options.own;
  const more = before?.nodes ?? options.nodes;
  const note = before === undefined ? undefined : file.path;
  const ask: NodeRequest = { instance, user, admin, more, note, onHost: hostOfNode(context), signal };
  const nodes = await findNodes(ask);
  const known = before === undefined ? undefined : file.secret(false);
  try {
    const { consumers } = context;
    if (request.byHand) await leaveToHand(nodes, dryRun);
    await requireSound(request, nodes, { consumers, journal: before, known, dryRun });
    const plan = describePlan(request, nodes, before);
    const sentinels = await openSentinels(request.sentinels, nodes, ask);
    try {
      if (dryRun) return result({ ...plan, dry_run: true, waits: false, stragglers: [], refused: [] });
      const journal: RotationJournal = (before && {
        ...before,
        byHand: request.byHand,
        done: lastingOf(before),
      }) ?? {
        version: 1,
        instance: instance.name,
        user,
        started: new Date(clock.now()).toISOString(),
        nodes: nodes.map(({ url }) => url),
        sentinels: [...request.sentinels],
        secretFiles: [...request.secretFiles],
        hooks: [...request.hooks],
        byHand: request.byHand,
        done: [],
        marks: {},
      };
      const rotation: Rotation = {
        request: ask,
        nodes,
        sentinels,
        consumers,
        password: known ?? file.secret(true),
        journal,
        wait: options.wait,
        stragglers: [],
        closed: 0,
        refused: [],
        clock,
        signal,
        progress: (phase) => context.progress.report({ phase }),
      };
      const waits = await walk(rotation, file, options);
      if (!waits) {
        record(context, options, nodes.length);
        file.remove();
      }
      const { stragglers, refused } = rotation;
      const byHand = await linesByHand(nodes, plan.by_hand, user);
      return result({ ...plan, by_hand: byHand, dry_run: false, waits, stragglers, refused });
    } finally {
      for (const { connection } of sentinels) connection.close();
    }
  } finally {
    for (const { connection } of nodes) connection.close();
  }
}

/** By the instance that the configuration has at that address, which need not be there. */
function hostOfNode(context: JobContext): NodeRequest['onHost'] {
  const { instance, settings } = context;
  return (url) => {
    if (url === instance.url) return context;
    const known = settings.instances.find((each) => isSame(each.url, url));
    return context.hostOf(known ?? { ...instance, name: addressOf(url), url, service: undefined });
  };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((url) => addressOf(url).replace(/^localhost(?=:|$)/, '127.0.0.1'));
  return a === b;
}

/** What a step says while it is at it. */
const phases: Record<RotationStep, string> = {
  begin: 'beginning',
  migrate: 'making a user of requirepass',
  add: 'a second password on every node',
  keep: 'writing it into their files',
  'hand-over': 'handing it to the consumers',
  replication: 'replicas log in anew',
  sentinels: 'Sentinels log in anew',
  wait: 'waiting for old connections',
  'by-hand': 'files that are changed by hand',
  refusals: 'looking who was refused before',
  retire: 'taking the old password away',
  'keep-new': 'writing that into the files',
  close: 'closing old connections',
  verify: 'looking whether all is well',
};

/** True: it stops before the old password goes, until a person has changed his files. */
async function walk(rotation: Rotation, file: JournalFile, { onStep }: RotateOptions): Promise<boolean> {
  const { journal, progress, nodes } = rotation;
  const byHand = nodes.some(({ files }) => files.kind === 'unseen');
  for (const step of rotationSteps) {
    if (journal.done.includes(step)) continue;
    progress(phases[step]);
    onStep?.(step, 'before');
    await stepWork[step](rotation);
    onStep?.(step, 'after');
    journal.done.push(step);
    file.write(journal);
    if (step === 'by-hand' && byHand) return true;
  }
  return false;
}

/** As the servers have that user now: with both passwords, or with the new one alone. */
async function linesByHand(
  nodes: readonly RotationNode[],
  byHand: RotationPlan['by_hand'],
  user: string,
): Promise<RotationPlan['by_hand']> {
  const found: RotationPlan['by_hand'] = [];
  for (const each of byHand) {
    const node = nodes.find(({ address }) => address === each.address);
    const list = (await node?.connection.call('ACL', 'LIST')) ?? [];
    const line = [list].flat().find((text) => String(text).startsWith(`user ${user} `));
    found.push({ ...each, line: line === undefined ? null : String(line) });
  }
  return found;
}

/** The reminder counts from it. */
function record({ state, instance, clock }: JobContext, { user, by }: RotateOptions, nodes: number): void {
  recordTaskEntry(state(), instance.name, {
    task: 'password-rotation',
    outcome: 'done',
    at: clock.now(),
    by,
    note: `rotate-password ${user}`,
    evidence: [
      { text: `${user} has a new password on ${nodes} ${nodes === 1 ? 'server' : 'servers'}`, ok: true },
    ],
  });
}

function result(value: RotationResult): JobResult<RotationResult> {
  const { user, nodes, dry_run: dry, waits } = value;
  const summary = waits
    ? `${user} has two passwords on ${counted(nodes.length, 'server')}, until files are changed by hand`
    : dry
      ? `the password of ${user} would be rotated on ${counted(nodes.length, 'server')}`
      : `the password of ${user} was rotated on ${counted(nodes.length, 'server')}`;
  return { value, summary, findings: [], evaluated: [] };
}
