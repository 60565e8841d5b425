import type { Readable } from 'node:stream';
import type { SwitchLink } from '../app/switch/link.ts';
import type { ServingUnit } from '../app/units/places.ts';
import type { Clock } from '../domain/clock.ts';

export type Output = Pick<NodeJS.WriteStream, 'write'> & {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
};

/** The process as a command sees it; tests pass their own. */
export interface CliHost {
  clock: Clock;
  env: NodeJS.ProcessEnv;
  stdin: Readable & { isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  /** Program and arguments that start this agent, less its command. */
  program: readonly string[];
  /** First request to stop, and the second. */
  signal: AbortSignal;
  cut: AbortSignal;
  /** Root's side of this command, where this process has given root up for it. */
  link?: SwitchLink | undefined;
  /** One of these was killed, and what it has left is to be ended. */
  recovering?: boolean;
  /** Somebody else has asked that unit for it, who may have it done and may read nothing of ours. */
  forOthers?: ServingUnit;
}
