import { spawn } from 'node:child_process';
import { messageOf } from '../../domain/errors.ts';
import type { ExecChannelSettings } from '../../domain/settings/alerts.ts';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { awaitEnd } from '../../lib/process/await-end.ts';
import { harmlessEnvironment } from '../../lib/process/run-program.ts';
import type { Channel, ChannelTools, Sent } from './channel.ts';
import { later, never, said } from './http.ts';
import { noticeDocument } from './notice-document.ts';

const mostOutput = 4096;

/** Runs a program with the notice's JSON document on its stdin. It is to end with 0; whatever else it ends with, it is run again. */
export function openExec(settings: ExecChannelSettings, { context }: ChannelTools): Channel {
  const { name, command, timeout } = settings;
  const [program = '', ...words] = command;
  return {
    name,
    description: program,
    pace: 0,
    send: async (notice, { signal }) =>
      run(program, words, { input: `${JSON.stringify(noticeDocument(notice, context))}\n`, timeout, signal }),
    async check() {
      try {
        await access(program, constants.X_OK);
        return { ok: true, detail: `${program} can be run` };
      } catch (error) {
        return {
          ok: false,
          problem: `${program} cannot be run: ${messageOf(error)}`,
          remedy: 'write the whole path of a program',
        };
      }
    },
    close() {},
  };
}

/** Where it takes too long, it and what it started are ended together. */
async function run(
  program: string,
  words: string[],
  { input, timeout, signal }: { input: string; timeout: number; signal: AbortSignal },
): Promise<Sent> {
  const child = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: harmlessEnvironment(),
    detached: true,
  });
  const end = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  if (end.aborted) kill();
  end.addEventListener('abort', kill);
  let output = '';
  const keep = (chunk: Buffer): void => {
    if (output.length < mostOutput) output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  // It may not read what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  try {
    const { code, signal: by } = await awaitEnd(child);
    if (code === 0) return { ok: true, answer: `${program} ended with 0` };
    if (end.aborted)
      return later(`${program} did not end within ${timeout / 1000} s`, 'make it faster, or raise timeout');
    return later(
      `${program} ended with ${code ?? by}${said(output)}`,
      'see what it writes, by running it by hand',
    );
  } catch (error) {
    return never(
      `${program} cannot be run: ${messageOf(error)}`,
      'write the whole path of a program that may be run',
    );
  } finally {
    end.removeEventListener('abort', kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}
