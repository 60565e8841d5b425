import {
  openKeyJournal,
  whatIsLeft,
  type KeyJournal,
  type KeyProgress,
} from '../../backup/restore-keys/journal.ts';
import type { KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { takeLock } from '../../state/locks/lock.ts';
import { planKeys } from './plan-keys.ts';
import { readTarget } from './read-target.ts';
import type { RestoreKeysContext, RestoreKeysOptions, RestoreKeysReport } from './restore-keys-options.ts';
import { writeKeys } from './write-keys.ts';

/** Writes keys of a dump into a running server. Throws an AgentError; what was written until then stays. */
export async function restoreKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
): Promise<RestoreKeysReport> {
  using journal = openJournal(context, options);
  const place = await readTarget(options.target, context.signal);
  const before = options.restart ? undefined : earlierRun(journal, place);
  const plan = await planKeys(context, options, place, before);
  if (options.dryRun || !(await options.agree(plan))) return { plan, result: null };
  return { plan, result: await writeKeys(context, options, place, journal, before) };
}

/** The journal of this restore, and the lock on its target. */
function openJournal(
  { stateDirectory, clock }: RestoreKeysContext,
  { source, target, choice, existing, toDatabase, ttl, withFunctions, dryRun }: RestoreKeysOptions,
): (KeyJournal & Disposable) | undefined {
  if (stateDirectory === undefined || source.identity === undefined) return undefined;
  const { url } = target;
  const where = url.replaceAll(/[^\w.]+/g, '_');
  const lock = dryRun
    ? undefined
    : takeLock(stateDirectory, { instance: where, kind: 'restore-keys', clock });
  const identity = {
    source: source.identity,
    url,
    user: target.username,
    choice,
    existing,
    toDatabase,
    ttl,
    withFunctions,
  };
  return { ...openKeyJournal(stateDirectory, identity), [Symbol.dispose]: () => lock?.release() };
}

/** Where to go on from, if a run like this one was cut off. */
function earlierRun(journal: KeyJournal | undefined, place: KeyTarget): KeyProgress | undefined {
  // A server that has lost everything since has to get everything.
  const there = Object.values(place.databases).reduce((sum, keys) => sum + keys, 0);
  if (there === 0) return undefined;
  const progress = journal?.read();
  return progress && whatIsLeft(progress, place.tenure, there);
}
