import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { shellWord } from '../../lib/process/shell-word.ts';
import { encodeFrame, readFrames, type Frame } from '../../lib/verbs/frames.ts';
import { acceptedDescriptor } from './places.ts';
import type { SwitchLink } from '../switch/link.ts';
import { say } from './say.ts';
import { unitLink } from './unit-link.ts';
import {
  passedOn,
  terminalLimits,
  type FromTerminal,
  type TerminalSize,
  type ToTerminal,
} from './terminal.ts';

interface ServedOutput {
  write(text: string | Uint8Array): boolean;
  isTTY: boolean;
  columns?: number;
  rows?: number;
}

/** A command that somebody at another terminal has asked for. */
export interface ServedCommand {
  argv: string[];
  env: NodeJS.ProcessEnv;
  stdin: PassThrough & { isTTY: boolean };
  stdout: ServedOutput;
  stderr: ServedOutput;
  link: SwitchLink;
}

/** Milliseconds in which the asking side says what it wants. */
const patience = 10_000;

/**
 * Does the command that comes over the connection that this unit was started for, and tells its exit status there; resolves
 * with the unit's own. `stop` is
 * called for each Ctrl-C of who asks. He may go away: what has begun is not ended by that, only a question is answered no.
 */
export async function serveUnit(
  env: NodeJS.ProcessEnv,
  stop: (by: 'SIGINT' | 'SIGTERM') => void,
  run: (served: ServedCommand) => Promise<number>,
): Promise<number> {
  const channel = new Socket({ fd: acceptedDescriptor });
  channel.on('error', () => {});
  const frames = readFrames(channel, terminalLimits);
  const start = await takeStart(frames, () => channel.destroy());
  if (start === undefined) {
    say('nobody has said what is to be done');
    channel.destroy();
    return 2;
  }
  say(`asked for: redis-agent ${start.argv.map(shellWord).join(' ')}`);
  const stdin = Object.assign(new PassThrough(), { isTTY: start.terminal.stdin });
  const write = (head: ToTerminal, bytes?: Uint8Array): void => {
    for (const each of encodeFrame({ head, bytes })) channel.write(each);
  };
  const stdout = outputTo(write, 'stdout', start);
  const stderr = outputTo(write, 'stderr', start);
  void followTerminal(frames, ({ head, bytes }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is unknown is passed over
    const message = head as FromTerminal;
    if (message.kind === 'input' && bytes !== undefined) stdin.write(bytes);
    if (message.kind === 'input-end') stdin.end();
    if (message.kind === 'stop') stop('SIGINT');
    if (message.kind === 'size') for (const each of [stdout, stderr]) Object.assign(each, sizeOf(message));
  }).finally(() => stdin.end());
  const passed = Object.entries(start.env).filter(([name]) => passedOn.includes(name));
  const link = unitLink(env);
  const code = await run({
    argv: start.argv,
    env: { ...env, ...Object.fromEntries(passed) },
    stdin,
    stdout,
    stderr,
    link,
  });
  say(`ended with status ${code}`);
  write({ kind: 'exit', code });
  await new Promise<void>((resolve) => {
    channel.once('close', () => resolve());
    channel.end(() => resolve());
  });
  channel.destroy();
  // The unit has done what it is for; or has failed, and what is left is ended by another one.
  return link.lost() ? 1 : 0;
}

/** Undefined where what comes is no request, or nothing does in time. */
async function takeStart(
  frames: AsyncGenerator<Frame, void, void>,
  giveUp: () => void,
): Promise<(FromTerminal & { kind: 'start' }) | undefined> {
  const late = setTimeout(giveUp, patience);
  try {
    const first = await frames.next();
    return first.done === true ? undefined : asStart(first.value);
  } catch {
    return undefined;
  } finally {
    clearTimeout(late);
  }
}

async function followTerminal(frames: AsyncIterable<Frame>, take: (frame: Frame) => void): Promise<void> {
  try {
    for await (const frame of frames) take(frame);
  } catch {
    // As where it has gone.
  }
}

function outputTo(
  write: (head: ToTerminal, bytes: Uint8Array) => void,
  kind: 'stdout' | 'stderr',
  start: FromTerminal & { kind: 'start' },
): ServedOutput {
  return {
    isTTY: start.terminal[kind],
    ...sizeOf(start),
    write(text) {
      const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
      for (let at = 0; at < bytes.length; at += terminalLimits.bytes)
        write({ kind }, bytes.subarray(at, at + terminalLimits.bytes));
      return true;
    },
  };
}

function asStart({ head }: Frame): (FromTerminal & { kind: 'start' }) | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at here
  const message = head as Partial<FromTerminal & { kind: 'start' }> | null;
  if (message?.kind !== 'start' || !Array.isArray(message.argv)) return undefined;
  const { argv, env = {}, terminal, columns, rows } = message;
  if (!argv.every((word) => typeof word === 'string')) return undefined;
  return {
    kind: 'start',
    argv,
    env: Object.fromEntries(Object.entries(env).filter(([, value]: unknown[]) => typeof value === 'string')),
    terminal: {
      stdin: terminal?.stdin === true,
      stdout: terminal?.stdout === true,
      stderr: terminal?.stderr === true,
    },
    ...sizeOf({ columns, rows }),
  };
}

function sizeOf({ columns, rows }: TerminalSize): { columns?: number; rows?: number } {
  return {
    ...(Number.isSafeInteger(columns) ? { columns: Number(columns) } : {}),
    ...(Number.isSafeInteger(rows) ? { rows: Number(rows) } : {}),
  };
}
