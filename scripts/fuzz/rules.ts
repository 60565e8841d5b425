// Compares what `rdb check --deep` calls sound with the servers' own checks (RESTORE with sanitize-dump-payload, and what
// clients ask for afterwards): scripts/node scripts/fuzz/rules.ts [--count N] [--seed N] [--server NAME]...
// One core; run it with `nice`. 2026-11-29: --count 70000 --seed 1000 on Redis 7.0 and 8.0 and Valkey 9.1, none missed;
// 2026-11-30: --count 5000 --seed 90000 and --seed 1411300 on these and Valkey 8.1, none missed.
import { parseArgs } from 'node:util';
import { compareRules } from '../../test/support/rdb/rule-mutants.ts';
import { serverBuilds } from '../../test/support/servers/server-builds.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    server: { type: 'string', multiple: true, default: [] },
  },
});
const builds = serverBuilds().filter(({ name, version }) =>
  values.server.length === 0 ? Number.parseInt(version, 10) >= 7 : values.server.includes(name),
);
let bad = 0;
for (const build of builds) {
  const report = await compareRules(build, Number(values.seed), Number(values.count));
  bad += report.missed.length;
  console.log(JSON.stringify({ ...report, missed: report.missed.length, first: report.missed.slice(0, 10) }));
}
process.exit(bad === 0 ? 0 : 1);
