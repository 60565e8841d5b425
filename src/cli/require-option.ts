import { AgentError } from '../domain/errors.ts';
import type { CommandContext } from './define-command.ts';

/** Throws an AgentError `usage`. */
export function requireWhole(name: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to)
    throw new AgentError('usage', `--${name} takes a whole number from ${from} to ${to}`);
}

/** yargs' own conflicts take an option with a default for given. */
export function refuseTwoFormats({ globals }: CommandContext, { csv }: { csv: boolean }): void {
  if (csv && globals.json) throw new AgentError('usage', '--csv and --json are two formats: choose one');
}
