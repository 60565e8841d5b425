import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { aofNames, rewriteAof, startAofServer } from '../../support/data/aof.ts';
import { runAgent, spawnAgent, writeConfig } from '../../support/agent/cli.ts';
import { defaultBuild } from '../../support/servers/redis-server.ts';

test('killed while it copies: nothing beside the data, and the next run clears what is left', async () => {
  const server = await startAofServer(defaultBuild());
  await server.call('DEBUG', 'POPULATE', 300_000, 'key', 300);
  await rewriteAof(server);
  const config = writeConfig({ server });
  const before = aofNames(server);
  const agent = spawnAgent(['aof', 'check'], { config });
  const scratch = join(config.state, 'scratch');
  const left = (): string[] => (existsSync(scratch) ? readdirSync(scratch) : []);
  const over = agent.ended.then(() => true);
  while (left().length === 0) {
    if (await Promise.race([over, delay(1).then(() => false)]))
      throw new Error(`it made no copy: ${agent.stderr}`);
  }
  agent.kill('SIGKILL');
  expect((await agent.ended).code).toBe(-1);
  expect(left()).toHaveLength(1);
  expect(aofNames(server)).toEqual(before);
  expect(await runAgent(['aof', 'check', '--json'], { config })).toMatchObject({
    code: 0,
    json: { verdict: 'ok' },
  });
  expect(left()).toEqual([]);
});
