import { counted } from '../../lib/text/counted.ts';
import { rm, statfs } from 'node:fs/promises';
import type { AofSource } from '../../backup/aof/aof-source.ts';
import { checkAofSet, type CheckedAof, type CheckSetOptions } from '../../backup/aof/check-set.ts';
import { copyAofSet } from '../../backup/aof/copy-set.ts';
import type { AofCut } from '../../backup/aof/describe-cut.ts';
import type { AofProblem, AofVerdict } from '../../backup/aof/facts.ts';
import { verdictOf, worstFirst } from '../../backup/aof/judge-set.ts';
import type { VerifiedAof } from '../../backup/aof/scan-file.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { CommandCheck, type OddCommand } from '../../formats/aof/command-check.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { giveToUnprivileged } from '../../lib/process/unprivileged.ts';
import { runCheckAof } from '../../redis/process/check-aof-tool.ts';
import { makeScratchFolder, sweepScratch } from '../../redis/scratch/scratch-folder.ts';
import { engineOf } from '../../redis/server.ts';
import { findCheckTool, type ToolPlaces } from '../../redis/process/tools.ts';
import { loadCheckedAof, type AofLoadReport } from './load-checked-aof.ts';
import { doubted, infoOfWriter, whomToAsk } from './whom-to-ask.ts';

/** One file of the set, as --json prints it. */
export interface AofFileReport {
  name: string;
  type: 'base' | 'incr' | 'single';
  seq: number | null;
  bytes: number;
  /** Where this run began to read; what is before was verified by an earlier one. */
  read_from: number;
  /** Up to here a server keeps it. */
  sound_bytes: number;
  commands: number;
  /** Keys in the RDB that it starts with; null where it does not start with one. */
  rdb_keys: number | null;
  state: 'ok' | 'torn' | 'corrupt' | 'hostile' | 'unknown';
}

/** What an examination found. */
export interface AofReport {
  instance: string | null;
  /** The manifest, or the single file; null when there is none. */
  path: string | null;
  layout: AofSource['layout'] | null;
  verdict: AofVerdict;
  /** One line. */
  summary: string;
  files: AofFileReport[];
  /** Worst first. */
  problems: AofProblem[];
  /** What a server or a fix would cut off. */
  cuts: AofCut[];
  /** What redis-check-aof said of a copy; null when it was not asked. */
  tool: { ok: boolean | null; summary: string } | null;
  /** What a scratch server made of a copy; null when that was not asked for. */
  load: AofLoadReport | null;
  /** The repaired set, where one was asked for. */
  fixed: { folder: string; files: number; bytes: number; dropped: string[] } | null;
}

export interface ExamineOptions extends CheckSetOptions {
  /** Ask the check tool of the server's own version too, on a copy. */
  withTool: boolean;
  /** Have a scratch server load a copy. */
  withLoad: boolean;
  onLoad: (share: number) => void;
  /** Where copies are made. */
  scratch: string;
  /** The server's, to find its tool; undefined: of the version that wrote the base. */
  info: Info | undefined;
  /** Where its tools may be. */
  places: ToolPlaces;
  /** That a scratch server needs, as scratchDatabases tells. */
  databases?: number | undefined;
  /** Write a repaired set into this new folder. */
  writeFixed: ((checked: CheckedAof) => Promise<NonNullable<AofReport['fixed']>>) | undefined;
}

/** Kept free beside a copy. */
const diskMargin = 256 * 1024 * 1024;

/** Resolves with undefined when there is no AOF at the source. */
export async function examineAof(
  source: AofSource,
  options: ExamineOptions,
): Promise<{ report: AofReport; verified: VerifiedAof[] } | undefined> {
  const commands = options.withLoad ? new CommandCheck() : undefined;
  const checked = await checkAofSet(source, { ...options, commands });
  if (checked === undefined) return undefined;
  await using _ = checked;
  const asked = await whomToAsk(checked, source, options);
  const tool = options.withTool ? await askTool(checked, options, asked.info) : null;
  const load = options.withLoad ? await loadCopy(checked, options, asked.info) : undefined;
  const odd =
    commands === undefined ? [] : judgeCommands(commands, checked, options.info, load?.report.ok === true);
  const problems = worstFirst([
    ...believed(checked, tool),
    ...[...contradiction(checked, tool), ...(load?.problems ?? [])].map((problem) =>
      asked.stranger === undefined || odd.length > 0 ? problem : doubted(problem, asked.stranger),
    ),
    ...odd,
  ]);
  const fixed = (await options.writeFixed?.(checked)) ?? null;
  const verdict = verdictOf(problems);
  const report: AofReport = {
    instance: null,
    path: source.path,
    layout: source.layout,
    verdict,
    summary: summarise(checked, verdict, problems, load?.report),
    files: checked.scanned.map(({ file, from, scan }) => ({
      name: file.name,
      type: file.listed === undefined ? 'single' : file.listed.type === 'b' ? 'base' : 'incr',
      seq: file.listed?.seq ?? null,
      bytes: file.size,
      read_from: from,
      sound_bytes: scan.sound,
      commands: scan.commands,
      rdb_keys: scan.preamble?.keys ?? null,
      state: scan.end.state,
    })),
    problems,
    cuts: checked.cuts,
    tool: tool && { ok: tool.ok, summary: tool.summary },
    load: load?.report ?? null,
    fixed,
  };
  return { report, verified: checked.verified };
}

function summarise(
  { scanned }: CheckedAof,
  verdict: AofVerdict,
  problems: readonly AofProblem[],
  load: AofLoadReport | undefined,
): string {
  const bytes = scanned.reduce((sum, { file }) => sum + file.size, 0);
  const commands = scanned.reduce((sum, { scan }) => sum + scan.commands, 0);
  const size = `${counted(scanned.length, 'file')}, ${formatBytes(bytes)}, ${counted(commands, 'command')}`;
  if (verdict !== 'ok') return `${verdict}: ${problems[0]?.summary ?? size}`;
  return load?.ok === true || commands === 0
    ? `sound: ${size}`
    : `sound: ${size}, which are not run (--deep does)`;
}

async function loadCopy(
  checked: CheckedAof,
  { scratch, info, places, databases, clock, signal, onLoad }: ExamineOptions,
  asked: Info,
): ReturnType<typeof loadCheckedAof> {
  const bytes = checked.scanned.reduce((sum, { file }) => sum + file.size, 0);
  // What lies somewhere says nothing of memory: its size is a measure, if a bad one.
  const known = info ?? new Map([...asked, ['used_memory', String(bytes)]]);
  return await loadCheckedAof(checked, {
    scratch,
    info: known,
    places,
    databases,
    clock,
    signal,
    onProgress: onLoad,
  });
}

interface ToolAnswer {
  /** null: not asked, or not to be believed. */
  ok: boolean | null;
  summary: string;
}

/** Runs the check tool on a byte copy. What this host cannot do is said, and makes no verdict. */
async function askTool(checked: CheckedAof, options: ExamineOptions, asked: Info): Promise<ToolAnswer> {
  const { set, scanned } = checked;
  if (set === undefined || set.missing.length > 0)
    return { ok: null, summary: 'not asked: the set is not whole' };
  if (checked.problems.some(({ verdict }) => verdict === 'hostile'))
    return { ok: null, summary: 'not asked: the set is hostile' };
  const found = await findCheckTool('aof', asked, options.places);
  if (found.tool === undefined) return { ok: null, summary: `not asked: ${found.why}` };
  try {
    await sweepScratch(options.scratch);
    const folder = await makeScratchFolder(options.scratch);
    try {
      const needed = scanned.reduce((sum, { file }) => sum + file.size, diskMargin);
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < needed)
        return { ok: null, summary: `not asked: a copy needs ${formatBytes(needed)} in ${options.scratch}` };
      const parts = scanned.map(({ file }) => ({ file, bytes: file.size }));
      const path = await copyAofSet(set, parts, folder, options.signal);
      giveToUnprivileged(folder);
      const { ok, summary } = await runCheckAof(found.tool, path, options.signal);
      const doubt = ok ? undefined : reasonToDoubt(checked);
      return doubt === undefined
        ? { ok, summary }
        : { ok: null, summary: `${summary}; not believed: ${doubt}` };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof AgentError || systemCode(error) === undefined) throw error;
    return { ok: null, summary: `not asked: no copy could be made: ${messageOf(error)}` };
  }
}

/** valkey-check-aof 9.1.2 takes a base with the magic VALKEY for commands, and rejects every healthy set with one. */
function reasonToDoubt({ scanned }: CheckedAof): string | undefined {
  const valkey = scanned.some(({ scan }) => scan.preamble?.version.engine === 'valkey');
  return valkey ? 'this tool does not know bases of RDB version 80 and later' : undefined;
}

/**
 * What no server of that version takes, by the table of commands. A server with modules or renamed commands takes more: so it is
 * unknown and no damage, and nothing where a server has loaded it.
 */
function judgeCommands(
  commands: CommandCheck,
  checked: CheckedAof,
  info: Info | undefined,
  loaded: boolean,
): AofProblem[] {
  const known = info ?? infoOfWriter(checked);
  const engine = known.size === 0 ? undefined : { ...engineOf(known), docker: false };
  const { unknown, wrongArity } = commands.judge(engine);
  const whom = engine === undefined ? 'no server knows' : `${engine.engine} ${engine.version} does not know`;
  return [
    ...(loaded ? [] : describeOdd(`that ${whom}`, unknown)),
    ...describeOdd('with another number of arguments than servers take', wrongArity),
  ];
}

function describeOdd(what: string, odd: readonly OddCommand[]): AofProblem[] {
  const [first] = odd;
  if (first === undefined) return [];
  const names = odd.slice(0, 5).map(({ name }) => name);
  const more = odd.length > names.length ? ', …' : '';
  return [
    {
      verdict: 'unknown',
      severity: 'warning',
      file: first.file,
      summary: `commands ${what} (${names.join(', ')}${more}): the first is ${first.text} at byte ${first.offset}`,
      remedy:
        'one that has the module, or the rename-command, that they are of may take them; any other may end when it loads this',
    },
  ];
}

/** What we cannot read, the tool can: its word counts then. */
function believed({ problems }: CheckedAof, tool: ToolAnswer | null): AofProblem[] {
  return tool?.ok === true ? problems.filter(({ verdict }) => verdict !== 'unknown') : problems;
}

/** Servers leave keys without elements out, and their check tool stops at the first. */
function contradiction({ problems, scanned }: CheckedAof, tool: ToolAnswer | null): AofProblem[] {
  const known = problems.some(({ verdict }) => ['torn', 'corrupt', 'hostile'].includes(verdict));
  if (tool?.ok !== false || known || scanned.some(({ passed }) => passed.empty)) return [];
  return [
    {
      verdict: 'corrupt',
      severity: 'critical',
      file: null,
      summary: `${tool.summary}, where our own reading finds nothing wrong`,
      remedy: 'look at it by hand, on a copy; while the server runs, BGREWRITEAOF makes a whole set anew',
    },
  ];
}
