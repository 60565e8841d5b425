import { describe, expect, test } from 'vitest';
import { compareRules, deepVerdict } from '../../../support/rdb/rule-mutants.ts';
import { ServerJudge } from '../../../support/rdb/server-judge.ts';
import { rightValues } from '../../../support/rdb/value-mutants.ts';
import { serverBuilds } from '../../../support/servers/redis-server.ts';

const strict = serverBuilds().filter(({ version }) => Number.parseInt(version, 10) >= 7);

// The same by the hundred thousand: scripts/fuzz/rules.ts.
describe.for(strict)('$name', (build) => {
  test('takes all that --deep calls sound', async () => {
    const { mutants, sound, missed } = await compareRules(build, 1, 500);
    expect(missed).toEqual([]);
    expect(mutants).toBe(500);
    expect(sound).toBeGreaterThan(100);
  });

  test('takes what is right, and so does --deep', async () => {
    await using judge = new ServerJudge(build);
    const right = rightValues(build.engine, 3).filter((value) => judge.knows(value));
    expect(new Set(await judge.judge(right))).toEqual(new Set(['taken']));
    expect(new Set(right.map(deepVerdict))).toEqual(new Set(['sound']));
  });
});
