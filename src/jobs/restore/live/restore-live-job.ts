import type { Server } from 'node:net';
import { judgeChoice } from '../../../backup/restore/judge-guards.ts';
import type { DisklessLoad } from '../../../backup/restore/judge-live.ts';
import type { LiveServerFacts } from '../../../backup/restore/gather-live.ts';
import type { Plan, PlanStep } from '../../../backup/restore/plan-restore.ts';
import type { Manifest } from '../../../domain/backup.ts';
import { infoKeyspace } from '../../../formats/info/parse-info.ts';
import { countKeys } from '../../backup/backup.ts';
import type { Job, JobContext, JobResult } from '../../job.ts';
import { expectRestore } from '../../drill/last-drill.ts';
import type { LocalBackup } from '../../local/describe-local.ts';
import { withLocal } from '../../local/local-backup.ts';
import type { Load } from '../../../state/loads.ts';
import { describeLoad, loadedBefore } from '../../prove/loaded-before.ts';
import { describeRead, readBefore } from '../../prove/read-before.ts';
import { restoreDeclaration } from '../declaration.ts';
import { findScratch, unloaded } from './load-first.ts';
import { interruptedLive, recoverLive } from './recover-live.ts';
import {
  judgeFor,
  lookLive,
  requireAllowed,
  runLiveRestore,
  type LiveRestoreReport,
} from './restore-live.ts';

export interface LiveJobOptions {
  /** A backup id or `latest`; of a local one its id, which is its path. */
  which: string;
  local?: LocalBackup | undefined;
  /** Only plan. */
  dryRun: boolean;
  /** Have a scratch server load it, although one has loaded these very bytes before. */
  proveAgain?: boolean;
  /** Where the server is to find its master; closed when it is not needed any more. */
  listener?: Server | undefined;
  preBackup: boolean;
  /** Names of guards that are insisted on. */
  allow: readonly string[];
}

/** Of a live restore. */
export interface LivePlan extends Plan {
  method: 'live';
  mode: DisklessLoad;
}

export interface LiveJobReport {
  instance: string;
  outcome: 'planned' | 'restored';
  /** What was found of an interrupted run, and what becomes of it. */
  interrupted: string | null;
  plan: LivePlan;
  restored: LiveRestoreReport | null;
}

/** Plans a live restore, and does it. */
export const restoreLiveJob: Job<LiveJobOptions, LiveJobReport> = {
  ...restoreDeclaration,
  run,
};

async function run(own: JobContext, options: LiveJobOptions): Promise<JobResult<LiveJobReport>> {
  const context = withLocal(own, options.local);
  const { repository, instance, signal } = context;
  const manifest = await repository.find(options.which, signal);
  const interrupted = interruptedLive(context);
  if (!options.dryRun) await recoverLive(context);
  const plan = await planLive(context, manifest, options);
  // What an interrupted run has made of the server is put right first.
  if (options.dryRun && interrupted !== null)
    plan.guards = plan.guards.filter(({ name }) => name !== 'replica' && name !== 'loading');
  const report: LiveJobReport = {
    instance: instance.name,
    outcome: 'planned',
    interrupted,
    plan,
    restored: null,
  };
  if (!options.dryRun) {
    const allowed = new Set(options.allow);
    requireAllowed(context, plan.guards, allowed);
    report.restored = await runLiveRestore(context, manifest, {
      preBackup: options.preBackup,
      listener: options.listener,
      ...(options.proveAgain === true ? { proveAgain: true } : {}),
      allowed,
    });
    report.outcome = 'restored';
  }
  const summary = `${instance.name}: ${report.outcome} ${manifest.id}, live`;
  return { value: report, summary, findings: [], evaluated: [] };
}

async function planLive(
  context: JobContext,
  manifest: Manifest,
  { which, local, preBackup, proveAgain = false }: LiveJobOptions,
): Promise<LivePlan> {
  const { clock, settings } = context;
  const facts = await lookLive(context);
  const { guards, notes, mode } = judgeFor(facts, manifest);
  const before = proveAgain ? undefined : loadedBefore(context, manifest, facts.server);
  const read = proveAgain ? undefined : readBefore(context, manifest, facts.server);
  const { lack } = before === undefined ? await findScratch(context, manifest, facts.info) : {};
  const now = clock.now();
  const running = { databases: infoKeyspace(facts.info) };
  const choice = {
    facts: { now, running },
    manifest,
    latest: which === 'latest',
    encrypts: local === undefined && settings.repository.encryption.age_recipients.length > 0,
    staleAfter: settings.backup.stale_after,
  };
  return {
    method: 'live',
    why: 'the server takes it over while it runs, as from a master: no restart, no file is placed',
    backup: manifest.id,
    snapshot_at: manifest.snapshot_at,
    age_seconds: Math.max(0, Math.round((now - Date.parse(manifest.snapshot_at)) / 1000)),
    keys: countKeys(manifest),
    bytes: manifest.artefacts[0]?.plain.bytes ?? 0,
    server: `${facts.server.engine} ${facts.server.version}`,
    mode,
    steps: stepsOf(facts, mode, preBackup, `${readingOf(read?.at)}${proofBefore(before, lack)}`),
    lost: `everything written since ${manifest.snapshot_at}; ${kept(preBackup)}`,
    expected: await expectRestore(context, manifest.artefacts[0]?.plain.bytes ?? 0, {
      method: 'live',
      kind: manifest.kind,
    }),
    notes,
    guards: [...guards, ...(lack === undefined ? [] : [unloaded(lack)]), ...judgeChoice(choice)],
  };
}

function readingOf(at: number | undefined): string {
  if (at === undefined) return 'SHA-256, CRC64, every value decoded';
  return `${describeRead(at)}, as this agent has noted, and each block held to its SHA-256 as it is sent`;
}

function proofBefore(before: Load | undefined, lack: string | undefined): string {
  if (before !== undefined) return ` (${describeLoad(before)}; --prove-again loads it again)`;
  return lack === undefined ? ', and a scratch server loads it' : '';
}

function kept(preBackup: boolean): string {
  return preBackup
    ? 'what is there now is backed up first'
    : 'what is there now is not kept (--no-pre-backup)';
}

function stepsOf(
  { info, dump }: LiveServerFacts,
  mode: DisklessLoad,
  preBackup: boolean,
  proof: string,
): PlanStep[] {
  const loads = {
    swapdb: 'from the agent as its master, beside the old data, which goes when all is loaded',
    disabled:
      'from the agent as its master: into a file of the server’s first, then in place of the old data',
  };
  const lasting =
    info.get('aof_enabled') === '1' ? 'the server writes its AOF anew' : `the server saves ${dump}`;
  return [
    {
      step: 'verify',
      why: `${proof}, before the server is sent anything`,
    },
    ...(preBackup ? [{ step: 'keep', why: 'a backup of what is there now, in the repository' }] : []),
    { step: 'load', why: loads[mode] },
    { step: 'compare', why: 'keys loaded, against the backup' },
    { step: 'free', why: 'a master again, its settings as they were' },
    { step: 'persist', why: `${lasting}, so that its next start loads the same; no file is placed` },
  ];
}
