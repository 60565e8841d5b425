import type { Readable } from 'node:stream';
import type { Clock } from '../../domain/clock.ts';
import type { Progress } from '../../domain/progress.ts';
import type { App } from '../build-app.ts';

/** What a dump is opened and read with; a command's own context is one. */
export interface DumpContext {
  globals: { instance?: string | undefined };
  clock: Clock;
  signal: AbortSignal;
  progress: Progress;
  stdin: Readable & { isTTY?: boolean };
  /** Built when it is first asked for. */
  app(): Promise<App>;
  /** Tells a person what he has to know before the result is there. */
  show(text: string): void;
}
