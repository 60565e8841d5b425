import type { KeyProgress } from '../../backup/restore-keys/journal.ts';
import { judgeKeyPlan, type KeyPlan } from '../../backup/restore-keys/judge-key-plan.ts';
import type { KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { Surveyor, type KeySurvey } from '../../backup/restore-keys/survey.ts';
import type { Pipe } from '../../redis/pipe.ts';
import { feedKeys } from './feed-keys.ts';
import { withPipe, type Receiver, type WriterBase } from './key-pipe.ts';
import { provenBySum } from './prove-sum.ts';
import type { RestoreKeysContext, RestoreKeysOptions } from './restore-keys-options.ts';

export async function planKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  before: KeyProgress | undefined,
): Promise<KeyPlan> {
  const { source, choice, existing, toDatabase } = options;
  const { survey, ways } = await withPipe(context, options, place, async (pipe, base, receive) => ({
    ways: base.ways,
    survey: (await isSurveyed(context, options, place, before))
      ? await surveyKeys(context, options, base, { pipe, asks: isAsked(options, place, before) }, receive)
      : null,
  }));
  return judgeKeyPlan({
    source,
    target: place,
    keys: { ...choice, to_database: toDatabase },
    existing,
    ttl: options.ttl ?? 'keep',
    with_functions: options.withFunctions === true,
    method: ways.restore ? 'restore' : 'commands',
    method_reason: ways.why,
    survey,
    resumes_from: before?.from ?? null,
  });
}

/**
 * Are the dump's records counted before anything is written? Where somebody looks at the plan, where keys that are there
 * would stop us, and where it shows only at its end that it is sound: unless its checksum alone says so, and nobody needs
 * to be warned that the target has no room for them.
 */
async function isSurveyed(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  before: KeyProgress | undefined,
): Promise<boolean> {
  const { source, dryRun, unasked, toDatabase } = options;
  if (dryRun) return true;
  if (!source.again) return false;
  if (!unasked || toDatabase !== undefined || isAsked(options, place, before)) return true;
  return !source.provenByBlock && (place.maxmemory > 0 || !(await provenBySum(context, source)));
}

/** Is the target asked which of the keys it has? */
function isAsked(
  { existing, dryRun, unasked }: RestoreKeysOptions,
  { databases }: KeyTarget,
  before: KeyProgress | undefined,
): boolean {
  const empty = Object.values(databases).every((keys) => keys === 0);
  return !empty && before === undefined && (existing === 'stop' || dryRun || !unasked);
}

async function surveyKeys(
  context: RestoreKeysContext,
  { source }: RestoreKeysOptions,
  base: WriterBase,
  { pipe, asks }: { pipe: Pipe; asks: boolean },
  receive: (receiver: Receiver) => void,
): Promise<KeySurvey> {
  const { clock, progress, signal } = context;
  const surveyor = new Surveyor({ ...base, only: undefined }, asks ? pipe : undefined, pipe);
  receive(surveyor);
  await feedKeys(source, {
    handler: surveyor,
    sink: surveyor.sink,
    pipe,
    phase: 'looking',
    clock,
    progress,
    signal,
  });
  surveyor.settle();
  return surveyor.survey;
}
