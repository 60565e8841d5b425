import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import { harmlessEnvironment } from '../../lib/process/run-program.ts';
import type { ServiceControl } from './service.ts';

export interface PlainCommands {
  /** Program and arguments. It may stay, or leave a server behind. */
  start: readonly string[];
  /** Left out: `end` is called. */
  stop?: readonly string[] | undefined;
  /** Asks the server itself to end. */
  end: (signal: AbortSignal) => Promise<void>;
  /** As whom both run. Ours when left out. */
  user?: { uid: number; gid: number } | undefined;
  /** From where it is started: what is relative in its configuration counts from there. */
  startIn: string;
  /** Opens, empty, what takes the started program's output; and reads it. */
  output: { open(): number; read(): Promise<string> };
}

const kept = 40;

/** A server that nobody manages: commands from the configuration, or those that a running one was started with. */
export function plainService({ start, stop, end, user, startIn, output }: PlainCommands): ServiceControl {
  let child: ChildProcess | undefined;
  let broken: string | undefined;
  return {
    description: `the command ${start.join(' ')}`,
    async stop(signal) {
      if (stop === undefined) return end(signal);
      const { exitCode, stderr } = await runCommand(stop, signal, user).catch((error: unknown) => {
        throw cannot('stop', stop, messageOf(error));
      });
      if (exitCode !== 0)
        throw cannot('stop', stop, stderr.trim() || `it ended with status ${exitCode ?? 'unknown'}`);
    },
    async start(signal) {
      signal.throwIfAborted();
      broken = undefined;
      const descriptor = output.open();
      const [program = '', ...args] = start;
      try {
        child = spawn(program, args, {
          cwd: startIn,
          detached: true,
          stdio: ['ignore', descriptor, descriptor],
          env: harmlessEnvironment(),
          ...user,
        });
      } finally {
        closeSync(descriptor);
      }
      child.once('error', (error) => (broken = messageOf(error)));
      child.once('exit', (code, name) => {
        // With status 0 it has left its server to itself.
        if (code !== 0) broken = `it ended with ${name === null ? `status ${code ?? 'unknown'}` : name}`;
      });
      child.unref();
    },
    async failure() {
      return broken === undefined ? undefined : `${start.join(' ')}: ${broken}`;
    },
    async output() {
      const lines = (await output.read()).split('\n');
      return lines.filter((line) => line.trim() !== '').slice(-kept);
    },
    async release() {},
  };
}

function cannot(what: string, argv: readonly string[], why: string): AgentError {
  return new AgentError('failed', `cannot ${what} the server with ${argv.join(' ')}: ${why}`, {
    reason: 'service',
    hint: 'correct service: of this instance in the configuration',
  });
}
