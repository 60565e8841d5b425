import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { setPriority } from 'node:os';
import type { UserId } from './act-as.ts';
import { confine, notExecuted } from './confine.ts';
import { unprivileged } from './unprivileged.ts';

export interface ProgramOptions {
  signal: AbortSignal;
  /** What the program sees as its own name: several programs are one file that goes by it. */
  argv0?: string;
  /** Where it runs; ours when left out. */
  cwd?: string;
  /** As whom, where we are root: nobody when left out, and never root. */
  user?: UserId | undefined;
}

export interface ProgramResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** stdout and stderr as they came; the middle is left out of a long one. */
  output: string;
}

const lowestPriority = 19;
const keptAtEachEnd = 16 * 1024;

/**
 * Runs a program to its end at the host's lowest CPU priority, without our environment's secrets and without root's
 * rights, in a session of its own (see confine).
 * Rejects when it cannot be started, or with the signal's reason after it has been killed.
 */
export async function runProgram(
  path: string,
  args: string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { signal, argv0, cwd, user } = options;
  signal.throwIfAborted();
  accessSync(path, constants.X_OK);
  const { command, args: words, detached } = confine(path, args, argv0);
  const child = spawn(command, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: harmlessEnvironment(),
    detached,
    ...(cwd === undefined ? {} : { cwd }),
    ...unprivileged(user),
  });
  lowerPriority(child.pid);
  const output = new BothEnds();
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  try {
    const [exitCode, endedBy] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, name) => resolve([code, name]));
      },
    );
    signal.throwIfAborted();
    if (notExecuted.includes(exitCode)) throw new Error(`cannot run ${path}: ${output.text().trim()}`);
    return { exitCode, signal: endedBy, output: output.text() };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** What a program needs to be found and to speak plainly. Ours may hold passwords and a notify socket. */
export function harmlessEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TZ, LD_LIBRARY_PATH } = process.env;
  return { PATH, TZ, LD_LIBRARY_PATH, LC_ALL: 'C' };
}

/** So that Redis comes first. A process that has ended already is no error. */
export function lowerPriority(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, lowestPriority);
  } catch {
    // It has ended: its exit is reported elsewhere.
  }
}

/** The first and the last bytes of a stream. */
class BothEnds {
  #start = '';
  #end = '';
  #cut = false;

  add(chunk: Buffer): void {
    const room = keptAtEachEnd - this.#start.length;
    const text = chunk.toString('latin1');
    this.#start += text.slice(0, Math.max(0, room));
    const rest = this.#end + text.slice(Math.max(0, room));
    this.#cut ||= rest.length > keptAtEachEnd;
    this.#end = rest.slice(-keptAtEachEnd);
  }

  text(): string {
    return Buffer.from(`${this.#start}${this.#cut ? '\n…\n' : ''}${this.#end}`, 'latin1').toString('utf8');
  }
}
