import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import type { Info } from '../formats/info/parse-info.ts';
import { runProgram } from '../lib/run-program.ts';
import { engineOf } from './server.ts';
import { findServerProcess } from './server-process.ts';

/** A check tool of a server's own version. Run `path` under the name `argv0`. */
export interface CheckTool {
  path: string;
  argv0: string;
}

/** A tool, or why there is none. */
export type FoundTool = { tool: CheckTool } | { tool: undefined; why: string };

const versionTimeout = 10_000;

/**
 * Finds redis-check-rdb or redis-check-aof (Valkey's on Valkey) of exactly the running server's version, since one of
 * another version rejects what this server writes or misses what is wrong with it. Looks beside the running program,
 * beside what INFO calls the executable, on PATH; then takes the running program itself: all of them are one file
 * that acts by the name it is called by (server.c, main).
 */
export async function findCheckTool(kind: 'rdb' | 'aof', info: Info): Promise<FoundTool> {
  const { engine, version } = engineOf(info);
  const argv0 = `${engine}-check-${kind}`;
  const others: string[] = [];
  for (const path of await candidates(argv0, info)) {
    const found = await versionOf(path, `${engine}-server`);
    if (found === version) return { tool: { path, argv0 } };
    if (found !== undefined) others.push(`${path} is ${found}`);
  }
  const seen = others.length === 0 ? '' : ` (${others.join(', ')})`;
  return { tool: undefined, why: `no ${argv0} of version ${version} on this host${seen}` };
}

async function candidates(name: string, info: Info): Promise<string[]> {
  const running = await findServerProcess(info);
  const named = info.get('executable') ?? '';
  const folders = [
    ...(running?.executable === undefined ? [] : [dirname(running.executable)]),
    ...(isAbsolute(named) ? [dirname(named)] : []),
    ...(process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute),
  ];
  const paths = folders.map((folder) => join(folder, name));
  // Opens the program that runs even when a package upgrade has replaced its file.
  if (running !== undefined) paths.push(`/proc/${running.pid}/exe`);
  return [...new Set(paths)];
}

/** undefined when there is no such program or we may not run it. */
async function versionOf(path: string, argv0: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    // The check tools themselves tell their version in some releases only, the server does in all.
    const signal = AbortSignal.timeout(versionTimeout);
    const { output } = await runProgram(path, ['--version'], { argv0, signal });
    return / v=(\S+)/.exec(output)?.[1];
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
export function requireEnd({ argv0 }: CheckTool, endedBy: NodeJS.Signals | null): void {
  if (endedFromOutside.includes(endedBy))
    throw new AgentError('failed', `${argv0} was ended by ${endedBy} before it was done`, {
      reason: 'killed',
      hint: 'the kernel does that when memory runs out: free some, and see dmesg',
    });
}

/**
 * Runs the tool on a file at the lowest priority. Rejects when it cannot be run or was killed, or with the signal's reason.
 */
export async function runCheckRdb(tool: CheckTool, file: string, signal: AbortSignal): Promise<RdbCheck> {
  const {
    exitCode,
    signal: endedBy,
    output,
  } = await runProgram(tool.path, [file], {
    argv0: tool.argv0,
    signal,
  });
  requireEnd(tool, endedBy);
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
