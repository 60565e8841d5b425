import { denialsRule, judgeDenials } from '../../../redis/seen-by-both/judge-denials.ts';
import type { Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const aclDenials: Evaluator = {
  rule: denialsRule,
  judge(view) {
    // The log is the process's own: what another one had says nothing.
    const { runId } = nowOf(view);
    const sample = view.samples.findLast(
      ({ values, runId: of }) => of === runId && values['auth_denials_day'] !== undefined,
    );
    if (sample === undefined) return undefined;
    return judgeDenials(
      { count: sample.values['auth_denials_day'] ?? 0, from: sample.texts['auth_denials_from'] ?? '' },
      view.instance,
    );
  },
};
