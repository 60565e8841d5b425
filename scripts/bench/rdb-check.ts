/**
 * `redis-agent rdb check DUMP` against redis-check-rdb, and against HDT3213/rdb where it is installed:
 *
 *   scripts/build && scripts/node scripts/bench/rdb-check.ts [ROUNDS]
 */
import { besideCheckRdb } from './beside-check-rdb.ts';

await besideCheckRdb(['rdb', 'check'], Number(process.argv[2] ?? '5'));
