import { beforeAll, describe, expect, test } from 'vitest';
import { fillServer, hasFieldExpiry, hasFunctions } from '../../support/data/data-set.ts';
import { describeData, encodingsOf, type DataDescription } from '../../support/data/describe-data.ts';
import {
  edgeBuilds,
  serverBuilds,
  startServer,
  type ServerBuild,
  type TestServer,
} from '../../support/servers/redis-server.ts';

function expectedEncodings(build: ServerBuild): string[] {
  const packed = build.version.startsWith('6.') ? 'ziplist' : 'listpack';
  // Small sets and lists are packed since Redis 7.2, which Valkey comes from.
  const newer = build.engine === 'valkey' || Number.parseFloat(build.version) >= 7.2;
  return [
    ...['int', 'embstr', 'raw'].map((name) => `string ${name}`),
    'list quicklist',
    ...['intset', 'hashtable'].map((name) => `set ${name}`),
    ...(newer ? ['list listpack', 'set listpack'] : []),
    ...[packed, 'hashtable'].map((name) => `hash ${name}`),
    ...(build.engine === 'redis' && hasFieldExpiry(build) ? ['hash listpackex'] : []),
    ...[packed, 'skiplist'].map((name) => `zset ${name}`),
    'stream stream',
  ];
}

describe.each(serverBuilds())('the data set on $name', (build) => {
  let server: TestServer;
  let before: DataDescription;

  beforeAll(async () => {
    server = await startServer({ build });
    await fillServer(server);
    before = await describeData(server);
    return () => server.stop();
  });

  test('has every encoding of this version', async () => {
    expect([...(await encodingsOf(server))].toSorted()).toEqual(expectedEncodings(build).toSorted());
  });

  test('survives a restart, by its description', async () => {
    await server.call('SAVE');
    await server.restart();
    expect(await describeData(server)).toEqual(before);
  });

  const changes: { what: string; command: (string | number)[]; here?: boolean }[] = [
    { what: 'a value', command: ['APPEND', 'string:raw', '!'] },
    { what: 'an expiry', command: ['PEXPIRE', 'session:7', 50_000_000] },
    { what: 'an acknowledged entry', command: ['XACK', 'stream:groups', 'workers', '1002-2'] },
    { what: 'a group', command: ['XGROUP', 'DESTROY', 'stream:groups', 'late'] },
    { what: 'a function', command: ['FUNCTION', 'DELETE', 'second'], here: hasFunctions(build) },
    {
      what: 'a field’s expiry',
      command: ['HPERSIST', 'hash:fields-expire', 'FIELDS', 1, 'soon'],
      here: hasFieldExpiry(build),
    },
  ];

  test.runIf(edgeBuilds().includes(build)).for(changes)(
    'the description shows a change of $what',
    async ({ command, here }, context) => {
      context.skip(here === false, 'this version has none');
      const [name = '', ...args] = command;
      const unchanged = await describeData(server);
      await server.call(String(name), ...args);
      expect(await describeData(server)).not.toEqual(unchanged);
    },
  );
});
