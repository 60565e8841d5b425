import type { BackupEntry, Listing } from '../backup/repository.ts';
import type { Manifest, Verification, VerificationLevel } from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import type { Finding } from '../domain/finding.ts';
import type { Job, JobContext, JobResult } from './job.ts';
import { provideProver, type Prover, type VerifyDepth } from './prover.ts';

export const damagedRule = 'backup-damaged';

export interface VerifyOptions {
  /** A backup id, `latest`, or `all`. */
  which: string;
  depth: VerifyDepth;
}

export interface VerifyVerdict {
  id: string;
  verdict: 'ok' | 'damaged' | 'missing' | 'incomplete' | 'newer';
  /** How deep it was proven. */
  level: VerificationLevel | null;
  summary: string;
}

export interface VerifyReport {
  /** Oldest first. */
  verdicts: VerifyVerdict[];
  /** Objects below the prefix that are none of ours. */
  foreign: string[];
}

/** Reads stored backups back and proves them. What was found is written beside each manifest. */
export const verifyJob: Job<VerifyOptions, VerifyReport> = { name: 'verify', lock: 'verify', run };

async function run(context: JobContext, { which, depth }: VerifyOptions): Promise<JobResult<VerifyReport>> {
  const listing = await context.repository.list(context.signal);
  const entries = choose(context, listing, which);
  const verdicts: VerifyVerdict[] = [];
  await using prover = await provideProver(context);
  for (const entry of entries) verdicts.push(await judge(context, prover, entry, depth));
  const bad = verdicts.filter(({ verdict }) => verdict === 'damaged' || verdict === 'missing');
  return {
    value: { verdicts, foreign: which === 'all' ? listing.foreign : [] },
    summary:
      verdicts.length === 1
        ? `backup ${verdicts[0]?.id}: ${verdicts[0]?.verdict}: ${verdicts[0]?.summary}`
        : `${verdicts.length} backups verified, ${bad.length} damaged`,
    findings: bad.map((verdict) => findingOf(context, verdict)),
    evaluated: [
      {
        rules: [damagedRule],
        resources: which === 'all' ? undefined : verdicts.map((verdict) => verdict.id),
      },
    ],
  };
}

function choose({ repository }: JobContext, { backups }: Listing, which: string): BackupEntry[] {
  if (which === 'all') return backups;
  const chosen =
    which === 'latest'
      ? backups.findLast(({ state }) => state === 'complete')
      : backups.find(({ id }) => id === which);
  if (chosen !== undefined) return [chosen];
  const what = which === 'latest' ? 'no backup' : `no backup ${JSON.stringify(which)}`;
  throw new AgentError(
    'failed',
    `instance ${repository.instance} has ${what} in ${repository.store.description}`,
    {
      reason: 'missing',
      hint: 'see: redis-agent backups list',
    },
  );
}

async function judge(
  context: JobContext,
  prover: Prover,
  entry: BackupEntry,
  depth: VerifyDepth,
): Promise<VerifyVerdict> {
  if (entry.state === 'complete') return proveAndRecord(context, prover, entry.manifest, depth);
  const { id } = entry;
  if (entry.state === 'incomplete')
    return {
      id,
      verdict: 'incomplete',
      level: null,
      summary: 'no manifest: interrupted, or being taken now',
    };
  const missing = entry.state === 'damaged' && entry.problem.endsWith(' is missing');
  return { id, verdict: missing ? 'missing' : entry.state, level: null, summary: entry.problem };
}

async function proveAndRecord(
  context: JobContext,
  prover: Prover,
  manifest: Manifest,
  depth: VerifyDepth,
): Promise<VerifyVerdict> {
  const { repository, clock, signal } = context;
  const start = clock.monotonic();
  const outcome = await prove(prover, manifest, depth);
  const verification: Verification = {
    at: new Date(clock.now()).toISOString(),
    level: outcome.level,
    ok: outcome.ok,
    summary: outcome.summary,
    duration_seconds: Math.round(clock.monotonic() - start) / 1000,
  };
  await repository.writeVerification(manifest.id, verification, signal);
  return {
    id: manifest.id,
    verdict: outcome.ok ? 'ok' : 'damaged',
    level: outcome.level,
    summary: outcome.summary,
  };
}

/** Damage is a result; anything else (no connection, no memory, no key) is this run's failure. */
async function prove(
  prover: Prover,
  manifest: Manifest,
  depth: VerifyDepth,
): Promise<{ ok: boolean; level: VerificationLevel; summary: string }> {
  try {
    return { ok: true, ...(await prover.prove(manifest, depth)) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const gone = error.code === 'repository' && (error.reason === 'missing' || error.reason === 'truncated');
    if (error.code !== 'damaged' && !gone) throw error;
    return { ok: false, level: depth, summary: error.message };
  }
}

function findingOf({ instance }: JobContext, { id, summary }: VerifyVerdict): Finding {
  return {
    instance: instance.name,
    rule: damagedRule,
    resource: id,
    severity: 'critical',
    summary: `backup ${id} is damaged: ${summary}`,
    remedy: 'take a new one now (redis-agent backup) and find out what damaged the store',
    evidence: { id },
  };
}
