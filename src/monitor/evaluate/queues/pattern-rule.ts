import type { PatternReading } from '../../../domain/pattern.ts';
import { sampleRule, type Evaluator, type Verdict } from '../evaluator.ts';

/** A rule over each pattern of `monitor.patterns`; between two walks through the keys the last one counts. */
export function patternRule(
  rule: Parameters<typeof sampleRule>[0],
  judge: (reading: PatternReading) => Omit<Verdict, 'resource'> | undefined,
): Evaluator {
  return {
    rule: { ...sampleRule(rule), keepFiring: 0, page: 'docs/findings/queues.md' },
    judge(view) {
      const seen = view.samples.findLast(({ patterns }) => patterns !== undefined)?.patterns;
      return seen?.flatMap((reading): Verdict[] => {
        const verdict = reading.readable && reading.sampled > 0 ? judge(reading) : undefined;
        return verdict === undefined ? [] : [{ ...verdict, resource: reading.name }];
      });
    },
  };
}
