// Commands that a server does not take are told by `aof check --deep`, and those that servers write never are.
import { appendFileSync, cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runAgent } from '../../../support/agent/cli.ts';
import { fillServer } from '../../../support/data/data-set.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';
import { edgeBuilds, startServer } from '../../../support/servers/redis-server.ts';

test.each(edgeBuilds())('$name: what it writes is nothing odd, what somebody has added is', async (build) => {
  const server = await startServer({ build, config: { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' } });
  await fillServer(server);
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const single = build.version.startsWith('6.');
  const name = single ? 'appendonly.aof' : 'appendonlydir';
  const path = join(folder, name);
  await server.call('CONFIG', 'SET', 'appendfsync', 'always');
  await server.call('SET', 'last', 'one');
  cpSync(join(server.dir, name), path, { recursive: true });
  const sound = await runAgent(['--json', 'aof', 'check', path, '--deep']);
  expect({ code: sound.code, problems: sound.json.problems }).toEqual({ code: 0, problems: [] });

  const last = single ? path : join(path, readdirSync(path).find((each) => each.includes('.incr.')) ?? '');
  appendFileSync(last, '*2\r\n$9\r\nNO.SUCHAS\r\n$3\r\nkey\r\n');
  const odd = await runAgent(['--json', 'aof', 'check', path, '--deep']);
  expect(odd.json.verdict).not.toBe('hostile');
  expect(odd.json.problems).toContainEqual(
    expect.objectContaining({
      verdict: 'unknown',
      summary: expect.stringContaining('NO.SUCHAS key at byte'),
    }),
  );
  expect(odd.code).not.toBe(0);
});
