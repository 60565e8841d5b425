import { accessSync, constants } from 'node:fs';
import type { Readable } from 'node:stream';
import { AgentError } from '../../domain/errors.ts';
import { encodeFrame, readFrames } from '../../lib/verbs/frames.ts';
import { connectUnit } from './connect.ts';
import { unitSocket, type ServingUnit } from './places.ts';
import { passedOn, tamed, terminalLimits, type FromTerminal, type ToTerminal } from './terminal.ts';

interface Output {
  write(text: string | Uint8Array): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

export interface AskOptions {
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  stdin: Readable & { isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  /** First request to stop, and the second. */
  signal: AbortSignal;
  cut: AbortSignal;
}

/**
 * Where this host has the units for it and who runs this is allowed to ask them, the command is done by these, and this
 * process is only their terminal. Resolves with the exit status; undefined where there is nobody to ask, or we are root, who
 * needs nobody.
 */
export async function askUnit(unit: ServingUnit, options: AskOptions): Promise<number | undefined> {
  const { argv, env, stdin, stdout, stderr } = options;
  const path = unitSocket(env, unit);
  if (process.geteuid?.() === 0 || !mayAsk(path)) return undefined;
  const channel = await connectUnit(path, `redis-agent-${unit}.socket`, `ask who may ${unit}`);
  channel.on('error', () => {});
  const send = (message: FromTerminal, bytes?: Uint8Array): void => {
    for (const each of encodeFrame({ head: message, bytes })) channel.write(each);
  };
  const terminal = {
    stdin: stdin.isTTY === true,
    stdout: stdout.isTTY === true,
    stderr: stderr.isTTY === true,
  };
  const size = (): { columns?: number | undefined; rows?: number | undefined } => {
    const { columns, rows } = terminal.stdout ? stdout : stderr;
    return { columns, rows };
  };
  const known = Object.fromEntries(passedOn.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  send({ kind: 'start', argv: [...argv], env: known, terminal, ...size() });
  const forget = forward(options, send, size);
  try {
    for await (const { head, bytes } of readFrames(channel, terminalLimits)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is unknown is passed over
      const message = head as ToTerminal;
      if (message.kind === 'exit') return asStatus(message.code);
      const output = message.kind === 'stderr' ? stderr : stdout;
      if (bytes !== undefined)
        output.write(output.isTTY === true ? tamed(Buffer.from(bytes).toString('utf8')) : bytes);
    }
  } finally {
    forget();
    channel.destroy();
  }
  throw new AgentError('failed', 'the process that does it has ended before it was done', {
    reason: 'killed',
    hint: `its unit ends or undoes what it had begun: see redis-agent status, and journalctl -u "redis-agent-${unit}@*"`,
  });
}

function asStatus(code: unknown): number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 0 && code < 256 ? code : 1;
}

/** Its mode says who. */
function mayAsk(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the terminal and others send to us, and is meant for it. */
function forward(
  { stdin, signal, cut }: AskOptions,
  send: (message: FromTerminal, bytes?: Uint8Array) => void,
  size: () => object,
): () => void {
  const onInput = (chunk: Buffer | string): void =>
    send({ kind: 'input' }, typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk);
  const onEnd = (): void => send({ kind: 'input-end' });
  const onStop = (): void => send({ kind: 'stop', by: 'SIGINT' });
  const onResize = (): void => send({ kind: 'size', ...size() });
  // Nothing else is asked on than a terminal; what a pipe brings is for who reads it next.
  if (stdin.isTTY === true) {
    stdin.on('data', onInput);
    stdin.on('end', onEnd);
  }
  signal.addEventListener('abort', onStop);
  cut.addEventListener('abort', onStop);
  process.on('SIGWINCH', onResize);
  return () => {
    stdin.off('data', onInput);
    stdin.off('end', onEnd);
    if (stdin.isTTY === true) stdin.pause();
    signal.removeEventListener('abort', onStop);
    cut.removeEventListener('abort', onStop);
    process.off('SIGWINCH', onResize);
  };
}
