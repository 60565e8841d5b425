import { spawn, type ChildProcess } from 'node:child_process';
import type { UserId } from '../../../src/lib/process/act-as.ts';

/**
 * Starts a program that the kernel kills when this process ends, however it ends; in a process group of its own, so
 * that `process.kill(-pid, …)` reaches what it forks. `user`: as whom, where we are root.
 */
export function spawnOwned(command: string, args: string[], cwd: string, user?: UserId): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
}

/** Has it ended, or never started? */
export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** Gathers what it writes, and why it could not be started. Nothing blocks for want of a reader. */
export function outputOf(child: ChildProcess): () => string {
  let output = '';
  const add = (chunk: unknown): void => {
    // The start tells why a program fails; a server that logs each request would fill the memory.
    if (output.length < 64 * 1024) output += String(chunk);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  child.on('error', add);
  return () => output;
}
