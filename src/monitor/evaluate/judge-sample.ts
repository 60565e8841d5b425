import type { Finding } from '../../domain/finding.ts';
import { upClasses } from '../../domain/sample.ts';
import { evaluators } from './rules/index.ts';
import { nowOf, type View } from './view.ts';

export interface Judgement {
  findings: Finding[];
  /** Ids of the rules that could be judged. */
  judged: string[];
  /** Those that could not: what is known of them stays as it is. */
  unknown: string[];
  /** Of rules that were judged, resources that could not be: they too stay as they are. */
  held: { rule: string; resource: string }[];
}

/** Judges one poll by every rule. */
export function judgeSample(view: View): Judgement {
  const { up, values } = nowOf(view);
  // Without INFO nothing else means anything: an empty or garbled answer is no proof that all is well.
  const answers = upClasses[up].answers && up !== 'loading' && values['uptime_seconds'] !== undefined;
  const judgement: Judgement = { findings: [], judged: [], unknown: [], held: [] };
  for (const evaluator of evaluators) {
    const { rule, always } = evaluator;
    const verdicts = answers || always === true ? evaluator.judge(view) : undefined;
    if (verdicts === undefined) {
      judgement.unknown.push(rule.id);
      continue;
    }
    judgement.judged.push(rule.id);
    for (const one of verdicts) {
      if ('untold' in one) {
        judgement.held.push({ rule: rule.id, resource: one.resource });
        continue;
      }
      const { resource = view.instance, ...verdict } = one;
      judgement.findings.push({ instance: view.instance, rule: rule.id, resource, ...verdict });
    }
  }
  return judgement;
}
