import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { checkAclFile, parseAclFile, printAclFile } from '../../../../src/formats/acl/acl-file.ts';
import type { AclContext } from '../../../../src/formats/acl/acl-context.ts';
import { applyRules } from '../../../../src/formats/acl/apply-rules.ts';
import { hasEverything, isOpen, isUnreachable, mayRun } from '../../../../src/formats/acl/user.ts';
import { parseEngine } from '../../../../src/formats/conf/engine.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

function context(name: string): AclContext {
  const engine = parseEngine(name);
  if (engine === undefined) throw new Error(name);
  return { engine, hash };
}

const made = (rules: string, engine = 'redis-7.0') =>
  applyRules('app', rules.split(' ').filter(Boolean), context(engine));

test.each([
  ['on >pw ~* +@all', 'get', true],
  ['on >pw ~* +@all -@dangerous', 'info', false],
  ['on >pw ~* +info -@dangerous', 'info', false],
  ['on >pw ~* -@dangerous +info', 'info', true],
  ['on >pw ~* +@all -eval -eval_ro -evalsha_ro', 'evalsha', true],
  ['on >pw ~* -@all +config|get', 'config|get', true],
  ['on >pw ~* -@all +config|get', 'config|set', false],
  ['on >pw ~* +config -config|set', 'config|set', false],
  ['on >pw ~* +config -config|set', 'config|get', true],
  ['on >pw ~* +GET', 'get', true],
  ['on (+get ~a)', 'get', true],
  ['on (+get ~a) clearselectors', 'get', false],
  ['', 'auth', true],
])('%s: %s → %s', (rules, command, may) => {
  const { user, faults } = made(rules);
  expect(faults).toEqual([]);
  expect(mayRun(user, command)).toBe(may);
});

test.each([
  ['redis-7.0', 'on +nonsense', 1],
  ['redis-7.0', '+@nonsense', 0],
  ['redis-7.0', '~* ~a', 1],
  ['redis-7.0', '&* &a', 1],
  ['redis-7.0', '#abc', 0],
  ['redis-7.0', '<never', 0],
  ['redis-7.0', '(+get ~a', 0],
  ['redis-7.0', 'db=1', 0],
  ['redis-7.0', 'nonsense', 0],
  ['redis-6.0', '+config -config|set', 1],
  ['redis-6.0', '(+get)', 0],
  ['redis-6.0', '&x', 0],
])('%s refuses %s', (engine, rules, word) => {
  expect(made(rules, engine).faults).toEqual([expect.objectContaining({ word })]);
});

test('a deny-list is judged by where it stands, and a reset takes all back', () => {
  expect(hasEverything(made('on ~* &* +@all').user)).toBe(true);
  expect(hasEverything(made('on ~* &* +@all -debug').user)).toBe(false);
  expect(hasEverything(made('~* &* +@all reset').user)).toBe(false);
});

test('who can log in', () => {
  expect(isOpen(made('on nopass').user)).toBe(true);
  expect(isOpen(made('nopass').user)).toBe(false);
  expect(isOpen(made('on nopass >pw').user)).toBe(false);
  expect(isUnreachable(made('on').user)).toBe(true);
  expect(isUnreachable(made('on >pw <pw').user)).toBe(true);
  expect([...made('>pw #' + hash('pw')).user.hashes]).toEqual([hash('pw')]);
});

test('an aclfile: a fault a line, and nothing of it is lost', () => {
  const text = '# who\n\n  user default off\r\nuser app on +get +nope\nuser app on\nUSER x on\nuser\n';
  const file = parseAclFile(text, 'users.acl');
  expect(Buffer.from(printAclFile(file)).toString()).toBe(text);
  expect(checkAclFile(file, context('redis-7.0')).map(({ line, column }) => [line, column])).toEqual([
    [1, 1],
    [4, 18],
    [5, 1],
    [6, 1],
    [7, 1],
  ]);
});
