import { closeSync, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileTail } from '../../../../src/lib/files/file-tail.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

interface Case {
  tail: FileTail;
  write: (text: string) => void;
  /** What was read so far, and the promise of its end. */
  read: string[];
  end: Promise<void>;
  opened: () => number;
}

function begin(): Case {
  const folder = makeTempFolder();
  const path = join(folder, 'file');
  const writer = openSync(path, 'w');
  onTestFinished(() => {
    closeSync(writer);
    removeTempFolder(folder);
  });
  let opened = 0;
  const tail = new FileTail(async () => {
    opened += 1;
    return await open(path, 'r');
  });
  const read: string[] = [];
  const drain = async (): Promise<void> => {
    for await (const chunk of tail.read()) read.push(Buffer.from(chunk).toString());
  };
  const end = drain();
  end.catch(() => {});
  return {
    tail,
    write(text) {
      writeSync(writer, text);
      tail.wrote(text.length);
    },
    read,
    end,
    opened: () => opened,
  };
}

test('what is written comes as it is written, all of it and in order', async () => {
  const { tail, write, read, end } = begin();
  write('first ');
  await expect.poll(() => read.join('')).toBe('first ');
  write('second ');
  write('third');
  tail.end();
  await end;
  expect(read.join('')).toBe('first second third');
});

test('no further than the writer says, whatever the file has', async () => {
  const { tail, write, read, end } = begin();
  write('0123456789');
  await expect.poll(() => read.join('')).toBe('0123456789');
  tail.end();
  tail.wrote(5);
  await expect(end).rejects.toThrow('the file ends at 10 bytes of 15');
});

test('longer than one read', async () => {
  const { tail, write, read, end } = begin();
  const text = 'x'.repeat(2.5 * 1024 * 1024);
  write(text);
  tail.end();
  await end;
  expect(read.join('')).toBe(text);
  expect(read.length).toBeGreaterThan(2);
});

test('a writer that fails: its reason, and what is there is not handed on any more', async () => {
  const { tail, write, read, end } = begin();
  write('good');
  await expect.poll(() => read.join('')).toBe('good');
  const why = new Error('a byte has changed');
  tail.fail(why);
  tail.wrote(10);
  await expect(end).rejects.toBe(why);
  expect(read.join('')).toBe('good');
});

test('nothing ever written: not even opened', async () => {
  const { tail, end, opened } = begin();
  tail.end();
  await end;
  expect(opened()).toBe(0);
});
