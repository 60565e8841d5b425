import { judgeServed, servedRule } from '../../../redis/seen-by-both/judge-certificate.ts';
import type { Evaluator } from '../evaluator.ts';
import { latestText } from '../view.ts';

export const certificateServed: Evaluator = {
  rule: servedRule,
  judge(view) {
    if (latestText(view, 'certificate_served') === '') return [];
    // Both of one poll: what is compared was seen at one time.
    const texts = view.samples.findLast(
      (each) =>
        each.texts['certificate_served'] !== undefined && each.texts['certificate_file'] !== undefined,
    )?.texts;
    const { certificate_served: served, certificate_file: file, 'tls-cert-file': path } = texts ?? {};
    if (served === undefined || file === undefined || path === undefined) return undefined;
    return judgeServed({ served, file, path });
  },
};
