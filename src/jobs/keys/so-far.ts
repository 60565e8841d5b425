import { counted } from '../../lib/text/counted.ts';
import { AgentError, hasReason, type Reason } from '../../domain/errors.ts';
import type { KeySource } from './key-source.ts';

/** After these, and with the cause mended, another run has a chance. */
const passing: readonly Reason[] = [
  'closed',
  'timeout',
  'oom',
  'misconf',
  'loading',
  'busy',
  'unkillable',
  'noreplicas',
  'noauth',
  // Of a cluster, while a replica takes over.
  'cluster',
  'clusterdown',
  'failover',
  'other-masters',
  'refused',
  'unavailable',
];

/** Says in an error how much was written before it, and what the next run will make of that. */
export function soFar(error: unknown, written: number, resumable: KeySource | undefined): unknown {
  if (!(error instanceof AgentError) || error.reason === 'exists') return error;
  const { code, message } = error;
  // What is the latest backup by then may be another one.
  const id = resumable?.manifest?.id;
  const again =
    resumable === undefined
      ? 'the same command with --skip-existing writes the rest'
      : `the same command goes on from there${id === undefined ? '' : ` (backup ${id})`}`;
  const another = code === 'interrupted' || hasReason(error, ...passing);
  const hints = [error.hint, ...(another ? [again] : [])];
  const hint = hints.filter((text) => text !== undefined).join('; ');
  const so =
    written === 0
      ? 'no key was confirmed as written'
      : `${counted(written, 'key was', 'keys were')} written before`;
  return error.retold(`${message} (${so})`, hint === '' ? undefined : hint);
}
