import { expect, test } from 'vitest';
import { ReplyParser, type PipeReply } from '../../../../src/redis/pipe/reply-parser.ts';

function parse(text: string, size = text.length): PipeReply[] {
  const replies: PipeReply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
  return replies;
}

test('reads every kind of simple reply in chunks of any size', () => {
  const text =
    '+OK\r\n-BUSYKEY Target key name already exists.\r\n:-12\r\n$-1\r\n$4\r\na\r\nb\r\n$0\r\n\r\n+PONG\r\n+OK\r\n';
  const whole = parse(text);
  expect(whole).toEqual([
    'OK',
    expect.objectContaining({ code: 'BUSYKEY' }),
    -12,
    null,
    'a\r\nb',
    '',
    'PONG',
    'OK',
  ]);
  for (let size = 1; size < 20; size++) expect(parse(text, size)).toEqual(whole);
});

test('of an array it tells the length, and nothing of what is in it', () => {
  const text = '*2\r\n$3\r\n1-1\r\n-ERR inner\r\n*0\r\n*-1\r\n*2\r\n*2\r\n:1\r\n:2\r\n*0\r\n+OK\r\n';
  for (const size of [1, 7, text.length]) expect(parse(text, size)).toEqual([2, 0, null, 2, 'OK']);
});

test.each(['HTTP/1.1 400 Bad Request\r\n', ':x\r\n', '+no carriage return\n', '$99999999\r\n'])(
  'refuses %j',
  (text) => {
    expect(() => parse(text)).toThrow(/^an? /);
  },
);

test('does not collect a reply without an end', () => {
  expect(() => parse('+'.padEnd(200_000, 'x'), 1000)).toThrow('without an end');
});
