import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { findAofSource, type AofSource } from '../../backup/aof/aof-source.ts';
import type { AofProblem, AofVerdict } from '../../backup/aof/facts.ts';
import { problemAt, verdictOf, worstFirst } from '../../backup/aof/judge-set.ts';
import type { VerifiedAof } from '../../backup/aof/scan-file.ts';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Progress } from '../../domain/progress.ts';
import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import type { AofPlace } from '../../redis/aof-place.ts';
import { toolPlaces } from '../../redis/service/find-service.ts';
import { readConf } from '../../redis/conf/read-conf.ts';
import { scratchDatabases } from '../prove/scratch-databases.ts';
import { readAofProgress, writeAofProgress } from '../../state/notes/aof-progress.ts';
import { viewAof, type AofView } from './aof-view.ts';
import { examineAof, type AofReport, type ExamineOptions } from './examine-aof.ts';
import { writeFixedAof } from './fix-aof.ts';
import type { JobContext, JobResult } from '../job.ts';
import { aofVerdictRules } from './rules.ts';

export interface CheckAofOptions {
  /** quick: only what no earlier run has verified · full: every byte, and the server's own check tool on a copy. */
  depth: 'quick' | 'full';
  /** Have a scratch server load a copy too. */
  load: boolean;
  /** Write a repaired set into this new folder. */
  fixTo: string | undefined;
}

export async function checkAof(context: JobContext, options: CheckAofOptions): Promise<JobResult<AofReport>> {
  const { instance } = context;
  const { info, place } = await viewAof(context);
  const config = place.answers ? await judgeConfig(context, place, info) : [];
  const examined = await examinePlace(context, options, place, info);
  const problems = worstFirst([...config, ...examined.problems]);
  const verdict = problems.length === 0 ? examined.verdict : worse(verdictOf(problems), examined.verdict);
  const summary =
    verdict === examined.verdict ? examined.summary : `${verdict}: ${problems[0]?.summary ?? ''}`;
  const report = { ...examined, instance: instance.name, problems, verdict, summary };
  return {
    value: report,
    summary: `AOF ${summary}`,
    findings: problems.map((problem) => findingOf(instance.name, problem)),
    evaluated: [{ rules: aofVerdictRules }],
  };
}

/** The same for an AOF that lies somewhere: no instance, no history, no configuration. */
export async function checkAofAt(
  path: string,
  options: CheckAofOptions,
  { clock, signal, progress }: { clock: Clock; signal: AbortSignal; progress: Progress },
): Promise<AofReport> {
  const examined = await examineAof(await findAofSource(path), {
    ...common(options, { clock, signal, progress }),
    scratch: tmpdir(),
    live: false,
    loadTruncated: undefined,
    known: [],
    deep: true,
    info: undefined,
    places: {},
  });
  if (examined !== undefined) {
    const { report } = examined;
    return { ...report, problems: report.problems.map((problem) => problemAt(path, problem)) };
  }
  throw new AgentError('failed', `there is no AOF at ${path}`, { reason: 'missing' });
}

function common(
  { depth, load, fixTo }: CheckAofOptions,
  { clock, signal, progress }: { clock: Clock; signal: AbortSignal; progress: Progress },
): Pick<
  ExamineOptions,
  'clock' | 'signal' | 'onProgress' | 'onLoad' | 'withTool' | 'withLoad' | 'writeFixed'
> {
  return {
    clock,
    signal,
    onProgress: (done, total) => progress.report({ phase: 'reading', done, total, unit: 'bytes' }),
    onLoad: (share) => progress.report({ phase: 'loading', done: share, total: 1 }),
    withTool: depth === 'full',
    withLoad: load,
    writeFixed: fixTo === undefined ? undefined : (checked) => writeFixedAof(checked, fixTo, signal),
  };
}

async function examinePlace(
  context: JobContext,
  options: CheckAofOptions,
  place: AofView['place'],
  info: Info,
): Promise<AofReport> {
  if (!place.wanted && !place.running) return nothing('off', 'off: the server writes no AOF');
  const { settings, instance, scratch, log } = context;
  const source: AofSource = {
    layout: place.folder === undefined ? 'single' : 'multi-part',
    path: place.file,
  };
  const directory = settings.state.path;
  const known = options.depth === 'quick' ? knownOf(readAofProgress(directory, instance.name)) : [];
  const examined = await examineAof(source, {
    ...common(options, context),
    scratch,
    databases: await scratchDatabases(context),
    live: place.running,
    written: infoInteger(info, 'aof_current_size'),
    loadTruncated: place.loadTruncated,
    known,
    deep: true,
    info,
    places: await toolPlaces(instance, context.signal),
  });
  if (examined === undefined) return absent(place);
  try {
    writeAofProgress(directory, instance.name, examined.verified);
  } catch (cause) {
    log.warn({ cause: messageOf(cause) }, 'cannot note what was verified: the next run reads all of it');
  }
  return examined.report;
}

/** Ours, from a private file, or nothing. */
function knownOf(noted: unknown): VerifiedAof[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of this form only rememberAofFile has made it
  return Array.isArray(noted) ? (noted as VerifiedAof[]) : [];
}

function absent(place: AofView['place']): AofReport {
  if (!place.answers && existsSync(place.dump)) return emptyStart(place);
  if (place.rewriting || !place.running)
    return nothing('starting', 'starting: the server has not written its first AOF yet');
  const folder = dirname(place.folder ?? place.file);
  if (!existsSync(folder))
    throw new AgentError('failed', `there is no folder ${folder} here, where the server has its AOF`, {
      reason: 'elsewhere',
      hint: 'does the server run in a container or on another host? The agent must see its folder under the same path',
    });
  const problem: AofProblem = {
    verdict: 'missing',
    severity: 'critical',
    file: null,
    summary: `${place.file} is not there, and the server says that it writes its AOF: the next start would be empty`,
    remedy: 'run BGREWRITEAOF now, and find out who removed it',
  };
  return { ...nothing('missing', `missing: ${problem.summary}`), problems: [problem] };
}

/** A server that is to have an AOF and finds none makes a new one, of nothing. */
function emptyStart({ file, dump }: AofView['place'] & { answers: false }): AofReport {
  const problem: AofProblem = {
    verdict: 'missing',
    severity: 'critical',
    file: null,
    summary: `there is no AOF at ${file}: the next start would not read ${dump} and begin empty`,
    remedy: 'before it starts: redis-agent restore (a backup, or this dump.rdb by its path)',
  };
  return { ...nothing('missing', `missing: ${problem.summary}`), problems: [problem] };
}

function nothing(verdict: AofVerdict, summary: string): AofReport {
  return {
    instance: null,
    path: null,
    layout: null,
    verdict,
    summary,
    files: [],
    problems: [],
    cuts: [],
    tool: null,
    load: null,
    fixed: null,
  };
}

/** What there is to check and is found wrong outweighs that there is nothing to check. */
function worse(problem: AofVerdict, state: AofVerdict): AofVerdict {
  return problem === 'ok' ? state : problem;
}

/**
 * Does the configuration file say what the server does? With `appendonly yes` in the file of a server that runs without,
 * the next start reads no dump.rdb, is empty, and the next save overwrites the dump (redis/redis 12484).
 */
async function judgeConfig({ log }: JobContext, place: AofPlace, info: Info): Promise<AofProblem[]> {
  const file = info.get('config_file') ?? '';
  if (file === '') return [];
  let says: boolean;
  try {
    says = (await readConf(file)).get('appendonly')?.toLowerCase() === 'yes';
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    log.debug({ cause: error.message }, 'cannot compare the configuration file with the server');
    return [];
  }
  if (says === place.wanted) return [];
  const unless = 'unless its command line says otherwise';
  if (says)
    return [
      {
        verdict: 'config',
        severity: 'critical',
        file: null,
        summary: `the server runs without AOF and ${file} says appendonly yes: the next start would not read dump.rdb and begin empty or with an old AOF, and the next save overwrite the dump (${unless})`,
        remedy: `before anything restarts it: CONFIG SET appendonly yes and wait for the rewrite, or write appendonly no into ${file}`,
      },
    ];
  return [
    {
      verdict: 'config',
      severity: 'high',
      file: null,
      summary: `the server writes an AOF and ${file} does not say appendonly yes: the next start would read an old dump.rdb or nothing (${unless})`,
      remedy: `write appendonly yes into ${file}, or CONFIG REWRITE`,
    },
  ];
}

function findingOf(instance: string, { verdict, severity, file, summary, remedy }: AofProblem): Finding {
  return {
    instance,
    rule: aofVerdictRules.find((rule) => rule === `aof-${verdict}`) ?? 'aof-corrupt',
    resource: file ?? instance,
    severity,
    summary: `AOF: ${summary}`,
    remedy,
    evidence: { file, verdict },
  };
}
