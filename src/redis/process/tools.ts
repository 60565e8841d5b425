import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Engine } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { ToolSettings } from '../../domain/settings/instances.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { distrustProgram } from '../../lib/files/distrust-path.ts';
import { runProgram, type ProgramResult } from '../../lib/process/run-program.ts';
import { engineOf } from '../server.ts';

/** A check tool of a server's own version. Run `path` under the name `argv0`. */
export interface CheckTool {
  path: string;
  argv0: string;
}

/** A file for a tool: its folder is entered before root is given up, so that nobody else needs a way there. */
function inItsFolder(
  file: string,
  user: UserId | undefined,
): { cwd: string; name: string; user: UserId | undefined } {
  return { cwd: dirname(file), name: `./${basename(file)}`, user };
}

/** A tool, or why there is none. */
export type FoundTool = { tool: CheckTool } | { tool: undefined; why: string };

const versionTimeout = 10_000;

/**
 * Finds redis-check-rdb or redis-check-aof (Valkey's on Valkey) of exactly the given server's version, since one of another
 * version rejects what this server writes or misses what is wrong with it: where the configuration says, beside the
 * program that the service is started by, where packages put them, on our own PATH. The server's program does as well:
 * all of them are one file that acts by the name it is called by (server.c, main). What a server says of its own place
 * counts for nothing, and what others than root or we could have put there is not run.
 */
export async function findCheckTool(
  kind: 'rdb' | 'aof',
  info: Info,
  places: ToolPlaces = {},
): Promise<FoundTool> {
  const { engine, version } = engineOf(info);
  const argv0 = `${engine}-check-${kind}`;
  const others: string[] = [];
  for (const path of candidates(engine, kind, places)) {
    if (!existsSync(path)) continue;
    const distrust = distrustProgram(path);
    const found = distrust === undefined ? await versionOf(path, `${engine}-server`) : undefined;
    if (found === version) return { tool: { path, argv0 } };
    if (distrust !== undefined) others.push(`${path} is not run: ${distrust}`);
    else if (found !== undefined) others.push(`${path} is ${found}`);
  }
  const seen = others.length === 0 ? '' : ` (${others.join(', ')})`;
  return { tool: undefined, why: `no ${argv0} of version ${version} on this host${seen}` };
}

/**
 * The newest server program of this host that is trusted, as an INFO that names its version: for files of which nobody says
 * who wrote them. Undefined where there is none.
 */
export async function hostServer(): Promise<Info | undefined> {
  const found: { engine: Engine; version: string }[] = [];
  for (const engine of ['redis', 'valkey'] as const)
    for (const path of candidates(engine, 'aof', {})) {
      if (!existsSync(path) || distrustProgram(path) !== undefined) continue;
      const version = await versionOf(path, `${engine}-server`);
      if (version !== undefined) found.push({ engine, version });
    }
  const [newest] = found.toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  return newest && new Map([[`${newest.engine}_version`, newest.version]]);
}

/** Where to look for tools, from the configuration and from units, never from a server. */
export interface ToolPlaces {
  tools?: ToolSettings | undefined;
  /** The program that the service is started by. */
  program?: string | undefined;
}

/** Where packages put servers and their tools. */
export const packageFolders = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/usr/local/sbin'];

function candidates(engine: Engine, kind: 'rdb' | 'aof', { tools, program }: ToolPlaces): string[] {
  const named = [kind === 'rdb' ? tools?.redis_check_rdb : tools?.redis_check_aof, tools?.redis_server];
  const start = program?.startsWith('/') === true ? program : undefined;
  const own = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const folders = [...(start === undefined ? [] : [dirname(start)]), ...packageFolders, ...own];
  const paths = [
    ...named,
    ...folders.flatMap((folder) =>
      [`${engine}-check-${kind}`, `${engine}-server`].map((name) => join(folder, name)),
    ),
    start,
  ];
  return [...new Set(paths.filter((path) => path !== undefined))];
}

/** Of programs by their place, number and time: an upgrade puts another file there. */
const versions = new Map<string, string | undefined>();

/** Undefined when it cannot be run, or tells none. */
async function versionOf(path: string, argv0: string): Promise<string | undefined> {
  try {
    const { dev, ino, ctimeMs } = await stat(path);
    const key = `${path} ${argv0} ${dev} ${ino} ${ctimeMs}`;
    if (!versions.has(key)) {
      // The check tools themselves tell their version in some releases only, the server does in all.
      const signal = AbortSignal.timeout(versionTimeout);
      const { output } = await runProgram(path, ['--version'], { argv0, signal });
      versions.set(key, / v=(\S+)/.exec(output)?.[1]);
    }
    return versions.get(key);
  } catch {
    return undefined;
  }
}

/** What the tool said. It also passes files with trailing garbage, and flipped bytes in one without checksum. */
export interface RdbCheck {
  ok: boolean;
  keys: number | undefined;
  expires: number | undefined;
  /** Keys whose time to live is over. */
  expired: number | undefined;
  checksum: 'ok' | 'none' | undefined;
  /** One line: its verdict in its own words. */
  summary: string;
}

/** From outside, or by a limit: they say nothing of the file. Others come of what the tool found. */
const endedFromOutside: readonly (NodeJS.Signals | null)[] = [
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGXCPU',
];

/** Throws an AgentError `failed` (reason `killed`) where the tool was not let come to its end. */
function requireEnd({ argv0 }: CheckTool, endedBy: NodeJS.Signals | null): void {
  if (endedFromOutside.includes(endedBy))
    throw new AgentError('failed', `${argv0} was ended by ${endedBy} before it was done`, {
      reason: 'killed',
      hint: 'the kernel does that when memory runs out: free some, and see dmesg',
    });
}

/** What a tool has to say of a file, in whose folder it runs. Rejects as its callers do. */
export async function runCheckTool(
  tool: CheckTool,
  file: string,
  signal: AbortSignal,
  user: UserId | undefined,
): Promise<ProgramResult> {
  const { name, ...place } = inItsFolder(file, user);
  const result = await runProgram(tool.path, [name], { argv0: tool.argv0, signal, ...place });
  requireEnd(tool, result.signal);
  return result;
}

/**
 * Runs the tool on a file at the lowest priority, under root as `user` or nobody, who must be let read it. Rejects when it
 * cannot be run or was killed, or with the signal's reason.
 */
export async function runCheckRdb(
  tool: CheckTool,
  file: string,
  signal: AbortSignal,
  user?: UserId,
): Promise<RdbCheck> {
  const { exitCode, signal: endedBy, output } = await runCheckTool(tool, file, signal, user);
  const number = (pattern: RegExp): number | undefined => {
    const text = pattern.exec(output)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  return {
    ok: exitCode === 0,
    keys: number(/^\[info\] (\d+) keys read$/m),
    expires: number(/^\[info\] (\d+) expires$/m),
    expired: number(/^\[info\] (\d+) already expired$/m),
    checksum: checksumOf(output),
    summary: exitCode === 0 ? `${tool.argv0}: looks OK` : `${tool.argv0}: ${problemOf(output, endedBy)}`,
  };
}

function checksumOf(output: string): RdbCheck['checksum'] {
  if (/^\[offset \d+\] Checksum OK$/m.test(output)) return 'ok';
  return /checksum disabled/i.test(output) ? 'none' : undefined;
}

/** The lines behind `--- RDB ERROR DETECTED ---`, or else the last one. */
function problemOf(output: string, endedBy: NodeJS.Signals | null): string {
  if (endedBy !== null) return `it was ended by ${endedBy}`;
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const error = lines.findIndex((line) => line.includes('ERROR DETECTED'));
  const telling = error === -1 ? lines.slice(-1) : lines.slice(error + 1, error + 3);
  return telling.map((line) => line.trim()).join(', ') || 'it said nothing';
}
