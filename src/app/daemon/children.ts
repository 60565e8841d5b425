import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { AgentError, argumentsOf } from '../../domain/errors.ts';
import { childCommand } from './child-command.ts';
import type { LogLevel } from '../logger.ts';
import type { ToWork, WorkOutcome, WorkTask } from './work.ts';

/** How the daemon has its heavy work done. */
export type Children = (task: Omit<WorkTask, 'level' | 'priority'>, signal: AbortSignal) => Promise<void>;

/** A run in a child that failed; whether it may be tried again was judged there, where the error was whole. */
export class FailedElsewhere extends AgentError {
  mayPass = false;
}

export interface ChildOptions {
  /** Program and arguments by which this agent was started, less its command. */
  program: readonly string[];
  env: NodeJS.ProcessEnv;
  level: LogLevel;
}

const lowest = 10;
const expendable = 500;

/**
 * Runs scheduled work in children, so that the daemon's own loop is never held up and its memory does not grow. Where memory
 * runs out a child goes before the daemon, which watches and tells.
 */
export function provideChildren({ program, env, level }: ChildOptions): Children {
  return async (task, signal) => {
    signal.throwIfAborted();
    const { NOTIFY_SOCKET: _, WATCHDOG_USEC: __, WATCHDOG_PID: ___, ...own } = env;
    const [command, ...args] = [...choom(), ...program, childCommand];
    const child = spawn(command, args, {
      env: own,
      // Of what a terminal or a manager sends to a group the daemon alone is to know.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    let outcome: WorkOutcome | undefined;
    child.on('message', (message: WorkOutcome) => (outcome = message));
    const tell = (what: ToWork): void => void (child.connected && child.send(what, () => {}));
    const stop = (): void => tell('stop');
    signal.addEventListener('abort', stop);
    try {
      tell({ ...task, level, priority: lowest });
      const [code, name]: unknown[] = await once(child, 'exit');
      if (outcome === undefined) throw cutOff(task.job, name ?? `status ${String(code)}`);
      if (!outcome.ok) throw failed(outcome);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}

function failed({ mayPass, ...told }: WorkOutcome & { ok: false }): FailedElsewhere {
  const error = new FailedElsewhere(...argumentsOf(told));
  error.mayPass = mayPass;
  return error;
}

function cutOff(job: string, how: unknown): AgentError {
  return new AgentError('failed', `the process that did ${job} was ended by ${String(how)}`, {
    reason: 'killed',
    hint: 'the kernel does that when memory runs out: see dmesg',
  });
}

/** Set before a program is executed: one that may not be looked into cannot set it itself. Nobody may lower his own. */
function choom(): string[] {
  const path = ['/usr/bin/choom', '/bin/choom'].find((each) => existsSync(each));
  return path === undefined || ownScore() >= expendable ? [] : [path, '-n', String(expendable), '--'];
}

function ownScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
  } catch {
    return expendable;
  }
}
