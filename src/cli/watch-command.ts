import type { Argv } from 'yargs';
import type { App } from '../app/build-app.ts';
import type { Clock } from '../domain/clock.ts';
import { AgentError } from '../domain/errors.ts';
import type { InstanceSettings } from '../domain/settings.ts';
import { exitCodes } from './exit-code.ts';
import type { Style } from './render/style.ts';
import { counted } from '../lib/text/counted.ts';

/** As the daemon does where nothing else is said, milliseconds. */
const usual = 15_000;
const frugal = 60_000;

export interface WatchArgs {
  watch: boolean;
}

export function watchOption(yargs: Argv): Argv {
  return yargs.option('watch', {
    type: 'boolean',
    default: false,
    describe: 'Again with every poll (monitor.interval), until Ctrl-C; without a terminal a line each time',
  });
}

/** As often as the daemon polls, and no more often. */
export function watchInterval({ settings }: App, instances: readonly InstanceSettings[]): number {
  const every = settings.monitor.interval ?? usual;
  return instances.some((instance) => instance.frugal === true) ? Math.max(every, frugal) : every;
}

export interface Watching {
  /** Milliseconds. */
  every: number;
  clock: Clock;
  signal: AbortSignal;
  write(this: void, text: string): void;
  /** undefined: no terminal, each look is appended. */
  screen: { rows(): number; style: Style } | undefined;
  /** Looks once, and resolves with what to print. */
  look(this: void): Promise<string>;
  failure(this: void, error: AgentError): string;
}

/**
 * Looks again and again until it is interrupted, which is how it ends. A failure is shown, and may be over the next time.
 * The terminal is as it was after every write, whatever ends us: no other screen, no hidden cursor.
 */
export async function watchCommand(watching: Watching): Promise<number> {
  const { every, clock, signal, write, screen } = watching;
  let drawn = 0;
  while (!signal.aborted) {
    const begun = clock.monotonic();
    const text = await lookOnce(watching);
    if (text === undefined) break;
    if (screen === undefined) write(`${text}\n`);
    else {
      const footer = `${new Date(clock.now()).toISOString().slice(11, 19)} UTC, every ${every / 1000} s, Ctrl-C ends`;
      const lines = cut([...text.split('\n'), screen.style.faint(footer)], screen.rows() - 1);
      write(redraw(lines, drawn));
      drawn = lines.length;
    }
    const spent = clock.monotonic() - begun;
    await clock.sleep(Math.max(every / 4, every - spent), signal).catch(() => {});
  }
  return exitCodes.interrupted;
}

/** Undefined: interrupted. */
async function lookOnce({ look, failure, signal }: Watching): Promise<string | undefined> {
  try {
    return await look();
  } catch (error) {
    if (signal.aborted) return undefined;
    // What was typed does not get right by itself.
    if (!(error instanceof AgentError) || error.code === 'usage') throw error;
    return failure(error);
  }
}

/** What a terminal of that height shows, the last line always. */
function cut(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows || rows < 3) return lines.slice(-Math.max(1, rows));
  const hidden = lines.length - rows + 1;
  return [...lines.slice(0, rows - 2), `… ${counted(hidden, 'more line')}`, ...lines.slice(-1)];
}

/** In one write, with wrapping off, so that a long line stays one, and on again at its end. */
function redraw(lines: readonly string[], drawn: number): string {
  const up = drawn === 0 ? '' : `\u001b[${drawn}A\r`;
  return `\u001b[?7l${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J\u001b[?7h`;
}
