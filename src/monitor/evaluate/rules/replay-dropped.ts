import { judgeReplay, replayResource, replayRule } from '../../../redis/seen-by-both/judge-replay.ts';
import type { Evaluator } from '../evaluator.ts';
import { latestText, nowOf } from '../view.ts';

export const replayDropped: Evaluator = {
  rule: replayRule,
  judge(view) {
    const { at, runId, values } = nowOf(view);
    const refused = values['unexpected_errors_total'];
    const aofEnabled = values['aof_enabled'];
    if (refused === undefined || aofEnabled === undefined) return undefined;
    const logged = view.samples.findLast(
      (each) => each.runId === runId && each.values['aof_replay_denials'] !== undefined,
    );
    return judgeReplay({
      aofEnabled: aofEnabled === 1,
      master: values['master'] === 1,
      refused,
      logged: logged?.values['aof_replay_denials'] ?? 0,
      noperm: values['noperm_errors_total'] ?? 0,
      rewrites: values['aof_rewrites_total'] ?? 0,
      folder: latestText(view, 'dir'),
      startedAt: at - (values['uptime_seconds'] ?? 0) * 1000,
      seenAt: view.seenAt?.(replayRule.id, replayResource),
    });
  },
};
