import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import type { UserId } from '../../lib/process/act-as.ts';
import { confine } from '../../lib/process/confine.ts';
import { inOwnNetwork } from '../../lib/process/own-network.ts';
import { printable } from '../../lib/text/printable.ts';
import { handsCommand } from './command.ts';
import { handsDescriptor } from './task.ts';

/** A process with the rights of a server's user, and the way to it. */
export interface HandsProcess {
  channel: Socket;
  /** The end of what it has said, for people. */
  said(): string;
  kill(): void;
  /** Resolves when it has ended, as far as that can be seen from here. It does when nobody has the channel any more. */
  ended(this: void): Promise<void>;
}

/** One that somebody else has started, and waits for. */
export function handsBehind(channel: Socket): HandsProcess {
  channel.unref();
  return {
    channel,
    said: () => '',
    kill: () => void channel.destroy(),
    ended: () => Promise.resolve(),
  };
}

const longestSaid = 300;

/** `program`: what this agent is started by. Nobody waits for it but who has asked for something. */
export function startHands(program: readonly string[], user: UserId): HandsProcess {
  const [path = '', ...words] = program;
  // What its scratch servers load is another's.
  const { command, args, detached } = inOwnNetwork(
    confine(path, [...words, handsCommand, JSON.stringify(user)]),
  );
  const cache = process.env['NODE_COMPILE_CACHE'];
  const child = spawn(command, args, {
    cwd: '/',
    detached,
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: cache },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const channel = child.stdio[handsDescriptor];
  if (!(channel instanceof Socket)) throw new Error('a pipe was asked for');
  let said = '';
  child.on('error', ({ message }) => (said = message));
  child.stderr?.on(
    'data',
    (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-longestSaid)),
  );
  const allSaid = new Promise((resolve) => child.stderr?.once('close', resolve));
  child.unref();
  for (const stream of [child.stderr, channel]) if (stream instanceof Socket) stream.unref();
  const isOver = (): boolean =>
    child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    channel,
    said: () => printable(said.trim()),
    kill: () => void (isOver() || child.kill('SIGKILL')),
    async ended() {
      if (!isOver()) {
        child.ref();
        await once(child, 'exit');
      }
      // Else this process would end, and fail, where that is the last thing that it waits for.
      if (child.stderr instanceof Socket) child.stderr.ref();
      await allSaid;
    },
  };
}
