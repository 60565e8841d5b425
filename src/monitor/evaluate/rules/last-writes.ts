import {
  judgeLastWrites,
  lastWrites,
  lastWritesRule,
} from '../../../redis/seen-by-both/judge-last-writes.ts';
import type { Evaluator } from '../evaluator.ts';
import { nowOf } from '../view.ts';

export const lastWritesFailed: Evaluator = {
  rule: lastWritesRule,
  judge(view) {
    const { values } = nowOf(view);
    const ok = (name: string): boolean | undefined =>
      values[name] === undefined ? undefined : values[name] === 1;
    const aofEnabled = ok('aof_enabled');
    const saveOk = ok('save_last_ok');
    if (saveOk === undefined && aofEnabled === undefined) return undefined;
    return [
      ...judgeLastWrites({
        saveOk,
        changes: values['changes_since_save'],
        aofEnabled: aofEnabled === true,
        rewriteOk: ok('aof_last_rewrite_ok'),
        writeOk: ok('aof_last_write_ok'),
        isCache: view.role === 'cache',
      }),
      ...(saveOk === undefined ? [untold(lastWrites.save)] : []),
      ...(aofEnabled === undefined ? [untold(lastWrites.rewrite), untold(lastWrites.write)] : []),
    ];
  },
};

const untold = (resource: string): { resource: string; untold: true } => ({ resource, untold: true });
