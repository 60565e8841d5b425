import { aclLogCommand, readAclLog } from '../../redis/acl-log.ts';
import { denialsIn } from '../../redis/seen-by-both/judge-denials.ts';
import { replayDenialsIn } from '../../redis/seen-by-both/judge-replay.ts';
import type { Collector } from './parts/collector.ts';
import { shortened } from './parts/numbers.ts';

/** Whose logins were refused. Names and passwords that were tried are not kept: one may be the other. */
export const aclLogCollector: Collector = {
  name: 'acl-log',
  rights: ['+acl|log'],
  every: 60_000,
  frugal: null,
  applies: ({ mode }) => mode !== 'sentinel',
  commands: () => [[...aclLogCommand]],
  read([reply], { values, texts }) {
    if (!Array.isArray(reply)) return;
    const log = readAclLog(reply);
    const { count, from } = denialsIn(log);
    values['aof_replay_denials'] = replayDenialsIn(log);
    values['auth_denials_day'] = count;
    texts['auth_denials_from'] = shortened(from, 200);
  },
};
