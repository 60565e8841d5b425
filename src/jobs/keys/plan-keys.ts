import type { KeyProgress } from '../../backup/restore-keys/journal.ts';
import { judgeKeyPlan, type KeyPlan } from '../../backup/restore-keys/judge-key-plan.ts';
import type { KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { mergeSurveys } from '../../backup/restore-keys/merge-surveys.ts';
import { SlotRouter } from '../../backup/restore-keys/slot-router.ts';
import { Surveyor, type KeySurvey } from '../../backup/restore-keys/survey.ts';
import { feedKeys } from './feed-keys.ts';
import { withPipes, type Flow, type Lane } from './key-pipe.ts';
import { provenBySum } from './prove-sum.ts';
import type { RestoreKeysContext, RestoreKeysOptions } from './restore-keys-options.ts';

export async function planKeys(
  context: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  before: KeyProgress | undefined,
): Promise<KeyPlan> {
  const { source, choice, existing, toDatabase } = options;
  const { survey, ways } = await withPipes(context, options, place, async (lanes, flow) => ({
    // Of a cluster those of the node that can least.
    ways: (lanes.find(({ base }) => !base.ways.restore) ?? lanes[0]).base.ways,
    survey: (await isSurveyed(context, options, place, before))
      ? await surveyKeys(context, options, lanes, { flow, asks: isAsked(options, place, before) })
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
  const { source, dryRun, unasked, toDatabase, skipDamaged } = options;
  if (dryRun) return true;
  if (!source.again) return false;
  // How far it can be read is said before anything is written.
  if (skipDamaged === true) return true;
  // Whether it has their databases is said before anything is written.
  if (place.cluster !== null) return true;
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
  { source, skipDamaged }: RestoreKeysOptions,
  lanes: [Lane, ...Lane[]],
  { flow, asks }: { flow: Flow; asks: boolean },
): Promise<KeySurvey> {
  const { clock, progress, signal } = context;
  const nodes = lanes.map((lane) => {
    const rules = { ...lane.base, only: undefined, built: undefined };
    const handler = new Surveyor(rules, asks ? lane.pipe : undefined, lane.pipe);
    lane.receive(handler);
    return { handler, slots: lane.slots ?? [], asking: lane.asking };
  });
  const [only, ...others] = nodes.map(({ handler }) => handler);
  const handler = only !== undefined && others.length === 0 ? only : new SlotRouter(nodes);
  const problems = new Set<string>();
  await feedKeys(source, {
    handler,
    sink: handler.sink,
    pipe: flow,
    phase: 'looking',
    clock,
    progress,
    signal,
    ...(skipDamaged === true && { onDamage: (problem: string) => problems.add(problem) }),
  });
  for (const { handler: surveyor } of nodes) surveyor.finish();
  const survey = mergeSurveys(nodes.map(({ handler: surveyor }) => surveyor.survey));
  return { ...survey, problems: [...problems] };
}
