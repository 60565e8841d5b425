import { messageOf } from '../../domain/errors.ts';
import { flagOf, type Guard } from './judge-guards.ts';

export type Method = 'files' | 'live';

/** What a plan of one method has come to: what speaks against it, or why there is no plan. */
export type Prospect = { guards: readonly Guard[] } | { problem: unknown };

/** How a backup is put back, and why not in the other way. */
export interface Choice {
  method: Method;
  why_not: { method: Method; why: string };
}

/**
 * Pure. Live wherever nothing stands against it that nobody can insist on: it needs no restart and no right on the
 * server's files, and its data is right in every persistence mode by construction. What can be insisted on speaks
 * against both, and decides nothing, but for what concerns live alone. An interrupted restore by files is ended first, whatever is possible.
 */
export function chooseMethod({
  files,
  live,
  halfPlaced,
  allow,
}: Record<Method, Prospect> & {
  /** Names of guards that are insisted on. */
  allow: readonly string[];
  /** Has an interrupted restore by files left something? */
  halfPlaced: boolean;
}): Choice {
  if (halfPlaced) return byFiles('a restore by files was interrupted, and is brought to its end first');
  if ('problem' in live) return byFiles(messageOf(live.problem));
  const against = live.guards
    .filter(({ name, allowable, decides }) => !allowable || (decides === true && !allow.includes(name)))
    .map(({ name, allowable, why }) => (allowable ? `${why} (${flagOf(name)} insists)` : why));
  if (against.length > 0) return byFiles(against.join('; '));
  const why = 'problem' in files ? messageOf(files.problem) : 'it stops the server and starts it again';
  return { method: 'live', why_not: { method: 'files', why } };
}

function byFiles(why: string): Choice {
  return { method: 'files', why_not: { method: 'live', why } };
}

/** Of a method that was asked for. */
export function chosenByHand(method: Method): Choice {
  const other = method === 'files' ? 'live' : 'files';
  return { method, why_not: { method: other, why: `--method ${method} was given` } };
}
