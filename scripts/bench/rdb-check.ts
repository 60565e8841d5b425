/**
 * `redis-agent rdb check DUMP` against redis-check-rdb: scripts/build && scripts/node scripts/bench/rdb-check.ts [ROUNDS]
 */
import { besideCheckRdb } from './beside-check-rdb.ts';

await besideCheckRdb(['rdb', 'check'], Number(process.argv[2] ?? '5'));
