/**
 * How much a run does. `scripts/test` tries every promise; `scripts/test --all` sets REDIS_AGENT_TEST_ALL and tries each of
 * them with every server and with many more examples, which takes an hour.
 */
export const everything = process.env['REDIS_AGENT_TEST_ALL'] === '1';

/** How many examples a property is tried with: `all` of them, or by default a tenth, and no fewer than ten. */
export function runs(all: number): number {
  return everything ? all : Math.min(all, Math.max(10, Math.ceil(all / 10)));
}

/** Every one of `cases` when everything is run, else each `step`th of them, the first and the last among them. */
export function sampled<T>(cases: readonly T[], step: number): T[] {
  if (everything) return [...cases];
  return cases.filter((_, at) => at % step === 0 || at === cases.length - 1);
}

/**
 * Of a list that has `of` cases for each thing behind one another, all when everything is run, else one for each thing: the
 * first one's first, the second one's second, and so on.
 */
export function inTurns<T>(cases: readonly T[], of: number): T[] {
  return everything ? [...cases] : cases.filter((_, at) => at % of === Math.floor(at / of) % of);
}
