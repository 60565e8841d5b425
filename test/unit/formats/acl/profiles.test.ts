import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyRules } from '../../../../src/formats/acl/apply-rules.ts';
import { aclProfiles, findProfile } from '../../../../src/formats/acl/profiles/index.ts';
import { judgeUser } from '../../../../src/formats/acl/profiles/judge-user.ts';
import { profileRules } from '../../../../src/formats/acl/profiles/rules.ts';
import { parseEngine, type EngineVersion } from '../../../../src/formats/conf/engine.ts';
import { mayRun } from '../../../../src/formats/acl/user.ts';
import { aclProfilesPage } from '../../../support/data/acl-profiles-page.ts';

const engine = (name: string): EngineVersion => {
  const found = parseEngine(name);
  if (found === undefined) throw new Error(name);
  return found;
};
const seven = engine('redis-7.0');
const profile = (name: string): NonNullable<ReturnType<typeof findProfile>> => {
  const found = findProfile(name);
  if (found === undefined) throw new Error(name);
  return found;
};
const user = (rules: string, on = seven): ReturnType<typeof applyRules>['user'] =>
  applyRules('worker', rules.split(' '), { engine: on, hash: () => '0'.repeat(64) }).user;

// After a change of a profile: vitest run test/unit/formats/acl/profiles.test.ts -u
it('docs/acl-profiles.md is what the data says', async () => {
  await expect(aclProfilesPage()).toMatchFileSnapshot('../../../../docs/acl-profiles.md');
});

describe.each(['redis-6.0', 'redis-6.2', 'redis-7.0', 'redis-8.0', 'valkey-8.1', 'valkey-9.1'])(
  '%s',
  (name) => {
    const on = engine(name);

    it.each(aclProfiles.map((each) => [each.name, each] as const))(
      '%s: no rule that it refuses, and enough for itself',
      (_name, each) => {
        const rules = profileRules(each, on);
        const made = applyRules('x', rules, { engine: on, hash: () => '' });
        expect(made.faults).toEqual([]);
        const { missing, surplus } = judgeUser(made.user, each, { engine: on });
        expect({ missing, surplus }).toEqual({
          missing: { commands: [], keys: [], channels: [] },
          surplus: { commands: [], keys: [], channels: [] },
        });
      },
    );

    it.each(
      aclProfiles.filter(({ name: each }) => each !== 'admin').map((each) => [each.name, each] as const),
    )('%s cannot take the server over', (_name, each) => {
      const { user: made } = applyRules('x', profileRules(each, on), { engine: on, hash: () => '' });
      const never =
        'config|set module|load migrate restore acl|setuser debug monitor flushall keys shutdown config'.split(
          ' ',
        );
      if (each.name !== 'sentinel') never.push('slaveof', 'replicaof', 'client|kill', 'config|rewrite');
      expect(never.filter((command) => mayRun(made, command))).toEqual([]);
    });
  },
);

it.each([
  ['bullmq', 'bullmq/dist/cjs/scripts'],
  ['bull', 'bull/lib/commands'],
])('%s: every command of the library’s scripts is granted', (name, folder) => {
  const root = join(import.meta.dirname, '../../../../node_modules', folder);
  const texts = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name: file }) => readFileSync(join(root, file), 'utf8'));
  const found = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/(?:rcall|redis\.p?call)\(\s*['"](\w+)['"]/g)].map(([, word = '']) =>
        word.toLowerCase(),
      ),
    ),
  );
  expect(found.size).toBeGreaterThan(35);
  const granted = new Set(profile(name).commands);
  expect([...found].filter((word) => !granted.has(word))).toEqual([]);
});

it('names what a worker with -@dangerous behind it lacks', () => {
  const { missing } = judgeUser(
    user(
      'on nopass ~bull:* resetchannels -@all +@read +@write +@connection +info +evalsha -@admin -@dangerous -@scripting',
    ),
    profile('bullmq'),
    { engine: seven },
  );
  expect(missing.commands).toEqual(expect.arrayContaining(['info', 'evalsha', 'eval', 'multi', 'exec']));
  expect(missing.keys).toEqual([]);
});

it('keys and channels: what covers them and what does not', () => {
  const missing = (rules: string, name = 'bull'): unknown => {
    const verdict = judgeUser(user(rules), profile(name), { engine: seven });
    return { keys: verdict.missing.keys, channels: verdict.missing.channels };
  };
  expect(missing('~* &* +@all')).toEqual({ keys: [], channels: [] });
  expect(missing('~bull:* &bu* +@all')).toEqual({ keys: [], channels: [] });
  expect(missing('%R~bull:* &bull:m* +@all')).toEqual({ keys: ['~bull:*'], channels: ['&bull:*'] });
  expect(missing('%R~bull:* %W~b* &bull:* +@all')).toEqual({ keys: [], channels: [] });
  expect(missing('%R~* +@all', 'readonly')).toEqual({ keys: [], channels: [] });
});

it('tells what is more than it needs, and of what some uses need', () => {
  const verdict = judgeUser(user('~* &* +@all'), profile('bull'), { engine: seven });
  expect(verdict.surplus.keys).toEqual(['~*']);
  expect(verdict.surplus.channels).toEqual(['&*']);
  expect(verdict.surplus.commands).toEqual(expect.arrayContaining(['config|set', 'flushall']));
  expect(verdict.optional).toEqual(['client|list', 'keys']);
});

it('other keys, more and fewer commands', () => {
  expect(
    profileRules(profile('cache'), seven, {
      keys: ['c:*'],
      channels: ['c'],
      also: ['flushdb'],
      without: ['scan'],
    }),
  ).toEqual(expect.arrayContaining(['~c:*', '&c', '+flushdb']));
  expect(profileRules(profile('cache'), seven, { without: ['scan'] })).not.toContain('+scan');
  expect(profileRules(profile('readonly'), seven, { without: ['scan'] })).toContain('-scan');
});
