import { expect, test } from 'vitest';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { addCompressible } from '../../support/data/compressible-data.ts';
import { describeData } from '../../support/data/describe-data.ts';
import { edgeBuilds, startServer, type TestServer } from '../../support/servers/redis-server.ts';

async function received(server: TestServer): Promise<number> {
  return Number(/^total_net_input_bytes:(\d+)/m.exec(String(await server.call('INFO', 'stats')))?.[1]);
}

test.each(edgeBuilds())(
  '$name on this host gets compressed values expanded, and as the same data',
  async (build) => {
    const source = await startServer({ build });
    await addCompressible(source);
    await source.call('SAVE');
    const config = writeConfig({ server: source });
    const words = ['restore', source.dumpPath, '--keys', '*', '--yes', '--json', '--into'];
    const sent: number[] = [];
    for (const way of ['url', 'socketUrl'] as const) {
      const target = await startServer({ build });
      const { code, json } = await runAgent([...words, target[way]], { config });
      expect([code, json.result.failed]).toEqual([0, []]);
      expect((await describeData(target)).digest).toBe((await describeData(source)).digest);
      expect(await received(target)).toBeGreaterThan(1.5 * json.result.bytes);
      sent.push(json.result.bytes);
    }
    expect(sent[0]).toBe(sent[1]);
  },
);
