import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serverBuilds } from '../servers/server-builds.ts';
import { keptFolders } from './once-a-run.ts';
import { everything } from './tier.ts';

// Caches that Node and its tools keep in the temporary folder on purpose.
const caches = new Set<string>(['node-compile-cache', ...keptFolders]);

/** Each project of the configuration asks for it; they share a run. */
export default function setup(): () => Promise<void> {
  return process.env['REDIS_AGENT_TEST_RUN'] === undefined ? beginRun() : () => Promise.resolve();
}

/**
 * Gives the whole run one temporary folder, which everything that the tests start inherits as TMPDIR. What is in it
 * after the run, and every process that works in it or still has it in its environment or
 * arguments (a server writes its title over both), was left behind by a test: it is cleared away, and the run fails with
 * its name.
 */
export function beginRun(): () => Promise<void> {
  const { TMPDIR: before, REDIS_AGENT_TEST_RUN: outer, NODE_COMPILE_CACHE: compiled } = process.env;
  const folder = mkdtempSync(join(before ?? placeOfRun(), 'redis-agent-run-'));
  process.env['TMPDIR'] = folder;
  // Agents and other programs of ours are started hundreds of times.
  process.env['NODE_COMPILE_CACHE'] ??= join(folder, 'node-compile-cache');
  // Servers run as a user of their own, who has to get to their folders in it.
  chmodSync(folder, 0o711);
  // Programs are found on it by their version, where no package has put them.
  const path = process.env['PATH'];
  process.env['PATH'] = [path, ...serverBuilds().map(({ server }) => dirname(server))].join(':');
  process.env['REDIS_AGENT_TEST_RUN'] = folder;
  return async () => {
    if (outer === undefined) delete process.env['REDIS_AGENT_TEST_RUN'];
    else process.env['REDIS_AGENT_TEST_RUN'] = outer;
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    process.env['PATH'] = path;
    if (compiled === undefined) delete process.env['NODE_COMPILE_CACHE'];
    const processes = await leftProcesses(folder);
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    const files = readdirSync(folder).filter((name) => !caches.has(name));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
    const left = [...processes.map(({ pid, command }) => `process ${pid} (${command})`), ...files];
    if (left.length > 0) throw new Error(`the tests left behind: ${left.join(', ')}`);
  };
}

/**
 * In memory, where there is plenty: agents and servers wait for a disk several times for each thing that they do, and a
 * disk that answers after five milliseconds takes a quarter of a run. With everything a real disk is part of it.
 */
function placeOfRun(): string {
  const [place, plenty] = ['/dev/shm', 6 * 2 ** 30];
  const inMemory = / \/dev\/shm tmpfs (?!\S*\bnoexec\b)/.test(readProc('self', 'mounts'));
  if (everything || !inMemory || freemem() < plenty) return tmpdir();
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize < plenty ? tmpdir() : place;
}

interface LeftProcess {
  pid: number;
  command: string;
}

/** What has just been killed may need a moment to go: looks again for a second before it calls anything left. */
async function leftProcesses(folder: string): Promise<LeftProcess[]> {
  for (let look = 0; ; look++) {
    const found = processesOf(folder);
    if (found.length === 0 || look === 20) return found;
    await delay(50);
  }
}

function processesOf(folder: string): LeftProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      [readProc(pid, 'environ'), readProc(pid, 'cmdline'), workingFolder(pid)].some((text) =>
        text.includes(folder),
      ),
    )
    .map((pid) => ({
      pid: Number(pid),
      command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 200),
    }));
}

/** The same for a link. */
function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Empty for a process of another user, one that has gone and one that has ended. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
