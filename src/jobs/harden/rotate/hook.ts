import { again } from './again.ts';
import { spawn } from 'node:child_process';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { distrustProgram } from '../../../lib/files/distrust-path.ts';
import type { HookInput } from '../../../harden/rotate/consumers.ts';
import { awaitEnd } from '../../../lib/process/await-end.ts';
import { harmlessEnvironment } from '../../../lib/process/run-program.ts';

const patience = 10 * 60_000;
const mostOutput = 4096;

/** Why it is not run; undefined where nothing is against it. */
export function whyNotHook(program: string): string | undefined {
  if (!program.startsWith('/')) return `${program}: write the whole path of the program`;
  return distrustProgram(program);
}

/**
 * Runs a program that hands the new password on, without a shell; it reads it on its stdin, and is to end with 0 when
 * every consumer has it. Throws an AgentError `failed` else; what it has written is shown without the password.
 */
export async function runHook(program: string, input: HookInput, signal: AbortSignal): Promise<void> {
  const child = spawn(program, [], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: harmlessEnvironment(),
    detached: true,
  });
  const end = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  end.addEventListener('abort', kill);
  let output = '';
  const keep = (chunk: Buffer): void => {
    if (output.length < mostOutput) output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => {});
  child.stdin.end(`${JSON.stringify(input)}\n`);
  try {
    const { code, signal: by } = await awaitEnd(child);
    signal.throwIfAborted();
    if (code === 0) return;
    const said = output.replaceAll(input.password, '[secret]').replaceAll(/\s+/g, ' ').trim().slice(0, 300);
    throw new AgentError(
      'failed',
      `the new password of ${input.user} was not handed on: the hook ${program} ended with ${code ?? by}${said === '' ? '' : `: ${said}`}`,
      {
        hint: `both passwords are valid meanwhile; mend the hook, ${again(input.user)}`,
      },
    );
  } catch (error) {
    if (error instanceof AgentError || signal.aborted) throw error;
    throw new AgentError(
      'failed',
      `the new password of ${input.user} was not handed on: the hook ${program} cannot be run: ${messageOf(error)}`,
      { cause: error, hint: `both passwords are valid meanwhile; mend the hook, ${again(input.user)}` },
    );
  } finally {
    end.removeEventListener('abort', kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}
