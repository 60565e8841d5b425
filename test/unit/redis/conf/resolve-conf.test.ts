import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConf } from '../../../../src/redis/conf/read-conf.ts';
import { resolveConf } from '../../../../src/redis/conf/resolve-conf.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** What counts of a configuration that includes these files by a pattern. */
function included(...texts: string[]): { lines: string[]; joined: string[] } {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  mkdirSync(join(folder, 'd'));
  for (const [at, text] of texts.entries()) writeFileSync(join(folder, 'd', `${at}.conf`), text);
  writeFileSync(join(folder, 'redis.conf'), `include ${folder}/d/*.conf\nport 1`);
  const { entries, joined, problems } = resolveConf(join(folder, 'redis.conf'));
  expect(problems).toEqual([]);
  return {
    lines: entries.map(({ name, values, place }) =>
      [`${place?.file.slice(folder.length + 1)}:${place?.line}`, name, ...values].join(' '),
    ),
    joined: joined.map(({ path, why }) => `${path.slice(folder.length + 1)} ${why.split(folder).join('')}`),
  };
}

// As Redis 7.0 and 8.0 and Valkey 9.1 do: CONFIG GET timeout said 0 where the second file had 20.
test('files of a pattern are strung together: a line without an end goes on in the next one', () => {
  expect(included('# nothing', 'timeout 20\nhz 5\n')).toEqual({
    lines: ['d/1.conf:2 hz 5', 'redis.conf:2 port 1'],
    joined: [
      'd/0.conf its last line has no end, and the server takes the first one of /d/1.conf for the rest of it',
    ],
  });
  expect(included('hz 5\ntimeout 2', '0\n')).toMatchObject({
    lines: ['d/0.conf:1 hz 5', 'd/0.conf:2 timeout 20', 'redis.conf:2 port 1'],
  });
  expect(included('timeout ', '2', '0\nhz 5\n').lines).toEqual([
    'd/0.conf:1 timeout 20',
    'd/2.conf:2 hz 5',
    'redis.conf:2 port 1',
  ]);
});

test('the last one of a pattern, and what ends with a line or blanks, is read by itself', () => {
  expect(included('timeout 20\n', 'hz 5')).toEqual({
    lines: ['d/0.conf:1 timeout 20', 'd/1.conf:1 hz 5', 'redis.conf:2 port 1'],
    joined: [],
  });
  expect(included('timeout 20\n  ', 'hz 5').joined).toEqual([]);
});

test.runIf(process.geteuid?.() === 0)(
  'under root it says with whose rights a file could not be read',
  async () => {
    const folder = makeTempFolder();
    onTestFinished(() => removeTempFolder(folder));
    const path = join(folder, 'redis.conf');
    writeFileSync(path, 'port 1\n', { mode: 0o600 });
    chmodSync(folder, 0o755);
    const user = { uid: 65_534, gid: 65_534 };
    await expect(readConf(path, [], user)).rejects.toMatchObject({
      message: expect.stringMatching(/permission denied for (?:nobody|65534) \(.*root:root/),
      hint: expect.stringContaining('the server’s user'),
    });
  },
);
