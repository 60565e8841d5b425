import { spawn } from 'node:child_process';
import type { UserId } from './act-as.ts';
import { awaitEnd } from './await-end.ts';
import { harmlessEnvironment } from './run-program.ts';

export interface CommandResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

const kept = 256 * 1024;

/**
 * Runs somebody else's command (systemctl, a stop command) to its end: at our own priority, since what it starts inherits
 * that, without a shell and without our environment's secrets. Rejects when it cannot be started, or with the signal's
 * reason after it has been killed. `user`: as whom, of a root that has said so.
 */
export async function runCommand(
  argv: readonly string[],
  signal: AbortSignal,
  user?: UserId,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: harmlessEnvironment(),
    ...user,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-kept);
    });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  try {
    const { code } = await awaitEnd(child);
    signal.throwIfAborted();
    return { exitCode: code, ...output };
  } finally {
    signal.removeEventListener('abort', kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}
