import { counted } from '../../lib/text/counted.ts';
import type { BackupEntry, Listing } from '../../backup/repository.ts';
import { inTheClear, type Manifest, type Verification, type VerificationLevel } from '../../domain/backup.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import { printable } from '../../lib/text/printable.ts';
import type { JobContext, JobResult } from '../job.ts';
import type { ProofOptions, VerifyDepth } from './proof.ts';
import { provideProver, type Prover } from './prover.ts';
import { damagedRule, unprovenRule } from './rules.ts';

/** Of a backup that is not encrypted although encryption is configured. */
const clearNote =
  'it is NOT ENCRYPTED although encryption is configured, and is restored with --accept-unencrypted only';

export interface VerifyOptions {
  /** A backup id, `latest`, or `all`. */
  which: string;
  depth: VerifyDepth;
  /** Decode every value too. */
  deep?: boolean;
}

export interface VerifyVerdict {
  id: string;
  /** unproven: it may be sound, but this host could not read or decrypt it. */
  verdict: 'ok' | 'damaged' | 'missing' | 'unproven' | 'incomplete' | 'newer';
  /** How deep it was proven. */
  level: VerificationLevel | null;
  summary: string;
}

export interface VerifyReport {
  /** Was every backup looked at, or one that was asked for? */
  all: boolean;
  /** Oldest first. */
  verdicts: VerifyVerdict[];
  /** Objects below the prefix that are none of ours. */
  foreign: string[];
  /** So many more, whose keys are not listed. */
  foreign_more: number;
}

export async function verify(
  context: JobContext,
  { which, depth, deep = false }: VerifyOptions,
): Promise<JobResult<VerifyReport>> {
  const listing = await context.repository.list(context.signal);
  const entries = choose(context, listing, which);
  const verdicts: VerifyVerdict[] = [];
  await using prover = await provideProver(context);
  for (const entry of entries) {
    const verdict = await judge(context, prover, entry, { depth, deep }).catch((error: unknown) => {
      if (which !== 'all') throw error;
      return unproven(context, entry, error);
    });
    if (verdict !== undefined) verdicts.push(verdict);
  }
  const bad = verdicts.filter(({ verdict }) => verdict === 'damaged' || verdict === 'missing');
  const open = verdicts.filter(({ verdict }) => verdict === 'unproven');
  return {
    value: {
      all: which === 'all',
      verdicts,
      foreign: which === 'all' ? listing.foreign : [],
      foreign_more: which === 'all' ? listing.foreignMore : 0,
    },
    summary:
      verdicts.length === 1
        ? `backup ${verdicts[0]?.id}: ${verdicts[0]?.verdict}: ${verdicts[0]?.summary}`
        : `${counted(verdicts.length, 'backup')} verified, ${bad.length} damaged`,
    findings: [...bad, ...open].map((verdict) => findingOf(context, verdict)),
    evaluated: [
      {
        rules: [damagedRule.id, unprovenRule.id],
        resources: which === 'all' ? undefined : verdicts.map((verdict) => verdict.id),
      },
    ],
  };
}

function choose({ repository }: JobContext, { backups }: Listing, which: string): BackupEntry[] {
  if (which === 'all') return backups;
  const chosen =
    which === 'latest'
      ? // A damaged one too: passing over it to a sound one would hide it.
        backups.findLast(({ state }) => state === 'complete' || state === 'damaged')
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
  how: ProofOptions,
): Promise<VerifyVerdict | undefined> {
  if (entry.state === 'complete') return proveAndRecord(context, prover, entry.manifest, how);
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

/** What keeps one backup from being proven is said of that one, and the others still are; what concerns all is thrown. */
async function unproven(
  { repository, signal, log }: JobContext,
  { id }: BackupEntry,
  error: unknown,
): Promise<VerifyVerdict> {
  signal.throwIfAborted();
  if (!(error instanceof AgentError)) {
    // What no check of ours has thought of, in an object that anybody may have written.
    const cause = printable(messageOf(error));
    log.error({ id, cause }, 'this backup could not be judged');
    return { id, verdict: 'unproven', level: null, summary: `it could not be judged: ${cause}` };
  }
  const concernsAll = error.code !== 'repository' && error.reason !== 'no-identity';
  // A store that is away does not answer this either.
  if (concernsAll || !(await repository.exists(id, signal))) throw error;
  const summary = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  return { id, verdict: 'unproven', level: null, summary };
}

/** undefined when it was pruned meanwhile: then nothing is wrong, and there is nothing to write a proof beside. */
async function proveAndRecord(
  context: JobContext,
  prover: Prover,
  manifest: Manifest,
  how: ProofOptions,
): Promise<VerifyVerdict | undefined> {
  const { repository, clock, signal, settings } = context;
  const downgraded = settings.repository.encryption.age_recipients.length > 0 && inTheClear(manifest);
  const start = clock.monotonic();
  const outcome = await prove(prover, manifest, how);
  const verification: Verification = {
    at: new Date(clock.now()).toISOString(),
    level: outcome.level,
    ok: outcome.ok,
    summary: outcome.summary,
    duration_seconds: Math.round(clock.monotonic() - start) / 1000,
  };
  if (!(await repository.exists(manifest.id, signal))) return undefined;
  await repository.writeVerification(manifest.id, verification, signal);
  return {
    id: manifest.id,
    verdict: outcome.ok ? 'ok' : 'damaged',
    level: outcome.level,
    summary: downgraded ? `${outcome.summary}; ${clearNote}` : outcome.summary,
  };
}

/** Damage is a result; anything else (no connection, no memory, no key) is this run's failure. */
async function prove(
  prover: Prover,
  manifest: Manifest,
  how: ProofOptions,
): Promise<{ ok: boolean; level: VerificationLevel; summary: string }> {
  try {
    return { ok: true, ...(await prover.prove(manifest, how)) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    // Of a download that ends early nobody knows whether the store or the way to it is at fault.
    const gone = error.code === 'repository' && error.reason === 'missing';
    if (error.code !== 'damaged' && !gone) throw error;
    return { ok: false, level: how.depth, summary: error.message };
  }
}

function findingOf({ instance }: JobContext, { id, verdict, summary }: VerifyVerdict): Finding {
  const common = { instance: instance.name, resource: id, evidence: { id } };
  if (verdict === 'unproven')
    return {
      ...common,
      rule: unprovenRule.id,
      severity: 'high',
      summary: `backup ${id} cannot be proven: ${summary}`,
      remedy: 'put that right, then run: redis-agent backups verify --all',
    };
  return {
    ...common,
    rule: damagedRule.id,
    severity: 'critical',
    summary: summary.includes('damaged') ? `backup ${id}: ${summary}` : `backup ${id} is damaged: ${summary}`,
    remedy: 'take a new one now (redis-agent backup) and find out what damaged the store',
  };
}
