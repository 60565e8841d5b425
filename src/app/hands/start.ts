import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { FileOwnership } from '../../backup/restore/file-ownership.ts';
import { dataFolder, localFolder, workOf, type DataFolder } from '../../backup/restore/folder/data-folder.ts';
import { folderVerbs } from '../../backup/restore/folder/verbs.ts';
import { AgentError } from '../../domain/errors.ts';
import { confine } from '../../lib/confine.ts';
import { userName } from '../../lib/file-owner.ts';
import { printable } from '../../lib/printable.ts';
import { VerbCaller, VerbsClosedError } from '../../lib/verbs/call.ts';
import { handsCommand } from './command.ts';
import { handsLimits, type HandsTask } from './task.ts';

/** How the data directories of servers are worked in. */
export interface Hands {
  /** See JobContext.folder. One that was asked for before is the same again. */
  folder(this: void, dir: string, ownership: FileOwnership): Promise<DataFolder>;
  /** Ends all processes; nothing that they were told to do is under way by then. */
  close(this: void): Promise<void>;
}

/**
 * Where we are root and the data is somebody's, a process with that user's rights works there; else there is nobody whose
 * rights would be less than ours, and it is done here. `program`: what this agent is started by.
 */
export function provideHands(program: readonly string[]): Hands {
  const folders = new Map<string, DataFolder>();
  const processes: Process[] = [];
  return {
    async folder(dir, ownership) {
      if (process.geteuid?.() !== 0 || ownership.owner.uid === 0) return localFolder(dir, ownership);
      const task = JSON.stringify({ dir, ownership } satisfies HandsTask);
      const known = folders.get(task);
      if (known !== undefined) return known;
      let current: Process | undefined;
      const perform = async (name: string, args: unknown[]): Promise<unknown> => {
        // One that was killed takes what it was asked for with it; what is asked for next, another one does.
        if (current === undefined || current.caller.closed) processes.push((current = start(program, task)));
        const asked = current;
        try {
          return await asked.caller.call(name, args, patience);
        } catch (error) {
          throw error instanceof VerbsClosedError ? ended(error, { dir, ownership }, asked.said()) : error;
        }
      };
      // The verbs of this process tell the names, and are never called.
      const work = workOf(folderVerbs(dir, ownership), async (_, args, name) => await perform(name, args));
      const made = dataFolder(dir, ownership, work);
      folders.set(task, made);
      return made;
    },
    async close() {
      folders.clear();
      await Promise.all(processes.splice(0).map(({ end }) => end()));
    },
  };
}

/** Milliseconds. Making gigabytes durable takes minutes on a slow disk. */
const patience = 15 * 60_000;

interface Process {
  caller: VerbCaller;
  /** The end of what it has written to stderr. */
  said(): string;
  end: () => Promise<void>;
}

const longestSaid = 300;

function start(program: readonly string[], task: string): Process {
  const [path = '', ...words] = program;
  const { command, args, detached } = confine(path, [...words, handsCommand, task]);
  const cache = process.env['NODE_COMPILE_CACHE'];
  const child = spawn(command, args, {
    cwd: '/',
    detached,
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.on('error', ({ message }) => (said = message));
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-longestSaid)));
  // Nobody waits for it but who has asked for something.
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr])
    if (stream instanceof Socket) stream.unref();
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = (): void => void (isOver() || child.pid === undefined || child.kill('SIGKILL'));
  const streams = { input: child.stdout, output: child.stdin };
  return {
    caller: new VerbCaller(streams, handsLimits, kill),
    said: () => printable(said.trim()),
    async end() {
      if (isOver() || child.pid === undefined) return;
      child.ref();
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

function ended({ message }: VerbsClosedError, { dir, ownership }: HandsTask, said: string): AgentError {
  const who = userName(ownership.owner.uid);
  const words = said === '' ? '' : ` (${said})`;
  return new AgentError('failed', `the process that works in ${dir} as ${who} is gone: ${message}${words}`, {
    reason: 'hands',
    hint: 'nothing is lost: run the same command again, and it goes on where it was',
  });
}
