import type { KeySurvey } from './survey.ts';
import type { FailedKeys } from './tally.ts';

/** Shown of keys. */
const examples = 5;

/** What the surveys of a cluster's nodes come to. */
export function mergeSurveys(surveys: readonly KeySurvey[]): KeySurvey {
  const sum = (of: (survey: KeySurvey) => number): number =>
    surveys.reduce((total, survey) => total + of(survey), 0);
  return {
    keys: sum(({ keys }) => keys),
    bytes: sum(({ bytes }) => bytes),
    types: mergeAmounts(surveys.map(({ types }) => types)),
    databases: mergeAmounts(surveys.map(({ databases }) => databases)),
    passed: sum(({ passed }) => passed),
    expired: sum(({ expired }) => expired),
    by_commands: sum((survey) => survey.by_commands),
    memory: sum(({ memory }) => memory),
    impossible: mergeFailed(surveys.flatMap(({ impossible }) => impossible)),
    existing: surveys.every(({ existing }) => existing === null)
      ? null
      : sum(({ existing }) => existing ?? 0),
    existing_examples: surveys.flatMap((survey) => survey.existing_examples).slice(0, examples),
    existing_unknown: mergeFailed(surveys.flatMap((survey) => survey.existing_unknown)),
    functions: sum(({ functions }) => functions),
    problems: [...new Set(surveys.flatMap(({ problems }) => problems))],
  };
}

type Amounts = KeySurvey['types'];

function mergeAmounts(all: readonly Amounts[]): Amounts {
  const merged: Amounts = {};
  for (const [name, { keys, bytes }] of all.flatMap((each) => Object.entries(each))) {
    const amount = (merged[name] ??= { keys: 0, bytes: 0 });
    amount.keys += keys;
    amount.bytes += bytes;
  }
  return merged;
}

function mergeFailed(all: readonly FailedKeys[]): FailedKeys[] {
  const merged = new Map<string, FailedKeys>();
  for (const { reason, keys, examples: some } of all) {
    const before = merged.get(reason);
    merged.set(reason, {
      reason,
      keys: (before?.keys ?? 0) + keys,
      examples: [...(before?.examples ?? []), ...some].slice(0, examples),
    });
  }
  return [...merged.values()];
}
