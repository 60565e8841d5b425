import {
  judgeMemoryLimit,
  memoryLimitRule,
  memoryThereIs,
} from '../../../redis/seen-by-both/judge-memory-limit.ts';
import type { Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const memoryLimit: Evaluator = {
  rule: memoryLimitRule,
  judge(view) {
    const { values } = nowOf(view);
    const maxmemory = values['memory_max_bytes'];
    if (maxmemory === undefined) return undefined;
    const memory = memoryThereIs(values['host_memory_total_bytes'], values['container_memory_limit_bytes']);
    return judgeMemoryLimit({ maxmemory, memory });
  },
};
