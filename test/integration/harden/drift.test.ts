import { appendFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { driftJob, enforceJob } from '../../../src/jobs/harden/drift.ts';
import { hardenerOf } from '../../support/harden/hardened.ts';
import { manageServer } from '../../support/servers/managed-server.ts';

const run = { signal: new AbortController().signal, progress: { report() {} } };

test('a value that was changed since is a finding, and enforce puts back what runs, not what files say', async () => {
  const server = await manageServer();
  const hardener = await hardenerOf(server);
  const instance = hardener.app.instance(undefined);
  const drift = () => hardener.app.run(driftJob, instance, {}, run);
  const enforce = () => hardener.app.run(enforceJob, instance, { admin: undefined }, run);
  const value = async (name: string): Promise<unknown> =>
    [await server.call('CONFIG', 'GET', name)].flat()[1];
  expect(await drift()).toEqual([]);
  await hardener.apply();
  expect(await drift()).toEqual([]);

  await server.call('CONFIG', 'SET', 'timeout', '0');
  expect(await drift()).toEqual([{ directive: 'timeout', applied: '300', run_time: '0', file: '300' }]);
  expect(await enforce()).toMatchObject({ set: [{ directive: 'timeout', from: '0', to: '300' }], left: [] });
  expect(await value('timeout')).toBe('300');
  expect(await drift()).toEqual([]);

  // A file that somebody has changed is told, and left.
  appendFileSync(server.configFile, 'timeout 30\n');
  await server.call('CONFIG', 'SET', 'timeout', '30');
  expect(await drift()).toMatchObject([{ directive: 'timeout', run_time: '30', file: '30' }]);
  expect(await enforce()).toMatchObject({ set: [], left: ['timeout'] });
  expect(await value('timeout')).toBe('30');
});

test('what was taken back is no drift', async () => {
  const server = await manageServer();
  const hardener = await hardenerOf(server);
  await hardener.apply();
  await hardener.rollback();
  expect(await hardener.app.run(driftJob, hardener.app.instance(undefined), {}, run)).toEqual([]);
});
