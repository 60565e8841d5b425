import { expect, test } from 'vitest';
import { explainEnd, LastLines } from '../../../../src/redis/scratch/scratch-log.ts';

const at = '7:M 29 Nov 2026 21:55:42.001 # ';
/** A crash, whose report is longer than what is kept of a log. */
function crashed(...before: string[]): string[] {
  const lines = new LastLines();
  const report = Array.from({ length: 90 }, (_, index) => `/lib/libc.so.6(+0x${index})`);
  const all = [...before, '=== REDIS BUG REPORT START: Cut & paste starting from here ===', ...report];
  lines.add(Buffer.from(all.map((line) => `${at}${line}\n`).join('')));
  return lines.get();
}

test('a crash is told by what the server said before its report', () => {
  const lines = crashed('Loading RDB produced by version 7.0.15', "RDB has duplicated key 'a' in DB 0");
  expect(explainEnd(lines, 'SIGABRT')).toMatchObject({
    code: 'damaged',
    message: "the scratch server cannot load the dump: RDB has duplicated key 'a' in DB 0",
    hint: 'no server starts with it: use another backup',
  });
});

test('a crash that says nothing is the dump’s fault while that is loaded, and not for want of memory', () => {
  const loading = 'Loading RDB produced by version 8.0.6';
  expect(explainEnd(crashed(loading, 'Assertion failed'), 'SIGSEGV')).toMatchObject({
    code: 'damaged',
    message: 'the scratch server crashed (SIGSEGV) while it loaded the dump',
  });
  expect(explainEnd(crashed(loading, 'Out Of Memory allocating 9 bytes!'), 'SIGABRT').code).toBe('failed');
  expect(explainEnd(crashed('Server initialized'), 'SIGSEGV').code).toBe('failed');
});

test('of what is no crash the last lines are kept, however long it goes on', () => {
  const lines = new LastLines();
  for (let index = 0; index < 200; index++) lines.add(Buffer.from(`line ${index}\nli`));
  expect(lines.get()).toHaveLength(61);
  expect(lines.get().slice(-2)).toEqual(['liline 199', 'li']);
});
