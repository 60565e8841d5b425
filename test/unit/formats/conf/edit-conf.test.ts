import { expect, test } from 'vitest';
import { parseConfDocument, printConf } from '../../../../src/formats/conf/document.ts';
import { diffConf, editConf, withValue } from '../../../../src/formats/conf/edit-conf.ts';

const line = (text: string): { raw: string; name: string } => {
  const [first] = parseConfDocument(text).lines;
  return { raw: first?.raw ?? '', name: first?.kind === 'directive' ? first.name : '' };
};

test('a line with another value keeps its indent, its name, its blanks and its end', () => {
  expect(withValue(line('  TimeOut \t 0  \r'), '300')).toBe('  TimeOut \t 300  \r');
  expect(withValue(line('bind 127.0.0.1 ::1 # mine'), '*')).toBe('bind *');
  expect(withValue(line('logfile "a b"'), '""')).toBe('logfile ""');
});

test('edits count from the file as it was, and one without a last line feed gets it with a new line', () => {
  const document = parseConfDocument('a 1\nb 2\nc 3');
  const edits = [
    { at: 0, remove: 1, insert: ['a 9'] },
    { at: 1, remove: 1, insert: [] },
    { at: 3, remove: 0, insert: ['d 4'] },
  ];
  expect(Buffer.from(printConf(editConf(document, edits))).toString()).toBe('a 9\nc 3\nd 4\n');
});

test('a diff shows three lines around, and none that may not be seen', () => {
  const document = parseConfDocument('one 1\nsecret x\ntwo 2\nthree 3\nfour 4\nfive 5\nsix 6\nseven 7\n');
  const edits = [{ at: 2, remove: 1, insert: ['two 9'] }];
  expect(diffConf('/etc/redis.conf', document, edits, (index) => index !== 1)).toBe(
    '--- /etc/redis.conf\n+++ /etc/redis.conf\n@@ -3,4 +3,4 @@\n-two 2\n+two 9\n three 3\n four 4\n five 5',
  );
  expect(diffConf('/etc/redis.conf', document, [], () => true)).toBe('');
});
