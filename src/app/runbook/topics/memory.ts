import { counted } from '../../../lib/text/counted.ts';
import { totalmem } from 'node:os';
import { infoInteger } from '../../../formats/info/parse-info.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { readCgroupMemory } from '../../../lib/memory/host-memory.ts';
import { findServerProcess } from '../../../redis/process/server-process.ts';
import { cli, tryAsk, type Runbook, type Sight } from '../report.ts';

const mib = 1024 * 1024;
const full = 0.9;

export const memoryRunbook: Runbook = async (context) => {
  const { info, instance } = context;
  const found: Sight[] = [];
  const number = (field: string): number => infoInteger(info, field) ?? 0;
  const [used, most] = [number('used_memory'), number('maxmemory')];
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  const own = await findServerProcess(info, instance.url);
  const group = own === undefined ? undefined : await readCgroupMemory(own.pid);
  // Not this host's, where it runs on another one.
  const host = Math.min(group?.limit ?? Infinity, number('total_system_memory') || totalmem());
  const refused = errors(info.get('errorstat_OOM'));
  const isFull = most > 0 && used > full * most;
  const evicts = policy !== 'noeviction' && policy !== 'unknown';
  found.push({
    state: isFull && !evicts ? 'cause' : most === 0 ? 'note' : 'fine',
    text:
      most === 0
        ? `${formatBytes(used)} used, no maxmemory: there are ${formatBytes(host)} for it`
        : `${formatBytes(used)} of ${formatBytes(most)} used (${Math.round((100 * used) / most)} %), policy ${policy}`,
  });
  if (refused > 0)
    found.push({
      state: 'cause',
      text: `${counted(refused, 'write was', 'writes were')} refused for want of memory since it started`,
    });
  const evicted = number('evicted_keys');
  if (evicted > 0)
    found.push({
      state: instance.role === 'cache' || instance.role === undefined ? 'note' : 'cause',
      text: `${counted(evicted, 'key was', 'keys were')} evicted: a cache may, and a queue loses jobs by it`,
    });
  const { keys, expiring } = keyspace(info);
  if (keys > 0)
    found.push({
      state: 'note',
      text: `${counted(keys, 'key')}, ${keys - expiring} of them without an end (TTL)`,
    });
  const largest = await largestKeys(context, found);
  if (largest.length > 0)
    found.push({
      state: 'note',
      text: `largest of ${counted(sampled, 'key')} looked at: ${largest.map(({ key, bytes }) => `${key} ${formatBytes(bytes)}`).join(', ')}`,
    });
  const buffers = number('mem_clients_normal') + number('mem_clients_slaves');
  if (buffers > used / 4)
    found.push({
      state: 'cause',
      text: `${formatBytes(buffers)} are buffers of clients: see the runbook connections`,
    });
  const applies = (isFull && !evicts) || refused > 0;
  // Half as much again, where its host or container can give it.
  const target = Math.ceil(Math.max(used * 1.5, most * 1.5) / mib) * mib;
  const room = target < 0.75 * host;
  return {
    applies,
    found,
    steps: [
      ...(applies && most > 0 && room
        ? [
            {
              why: `lets writes through at once: there is room (write it into redis.conf too)`,
              command: `${cli(instance)} CONFIG SET maxmemory ${Math.ceil(target / mib)}mb`,
              effect: 'changes' as const,
            },
          ]
        : []),
      {
        why: 'which patterns hold the memory, by the newest backup and with no load on the server',
        command: 'redis-agent keys latest',
        effect: 'looks' as const,
      },
      {
        why: 'completed and failed jobs that are kept',
        command: 'redis-agent queues',
        effect: 'looks' as const,
      },
      {
        why: 'when it will be full again',
        command: 'redis-agent memory --since 7d',
        effect: 'looks' as const,
      },
    ],
  };
};

const sampled = 200;

/** A few random keys, where the agent may look at them. */
async function largestKeys(
  context: Parameters<Runbook>[0],
  found: Sight[],
): Promise<{ key: string; bytes: number }[]> {
  const reply = await tryAsk(context, found, 'scan +memory|usage ~*', 'SCAN', '0', 'COUNT', String(sampled));
  const keys = Array.isArray(reply) && Array.isArray(reply[1]) ? reply[1].map(String).slice(0, sampled) : [];
  if (keys.length === 0 || context.connection === undefined) return [];
  const sizes = await context.connection.pipeline(keys.map((key) => ['MEMORY', 'USAGE', key]));
  return keys
    .flatMap((key, at) => {
      const bytes = sizes[at];
      return typeof bytes === 'number' ? [{ key: key.slice(0, 60), bytes }] : [];
    })
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, 5);
}

function errors(text: string | undefined): number {
  return Number(/count=(\d+)/.exec(text ?? '')?.[1] ?? 0);
}

function keyspace(info: ReadonlyMap<string, string>): { keys: number; expiring: number } {
  let [keys, expiring] = [0, 0];
  for (const [name, value] of info) {
    if (!/^db\d+$/.test(name)) continue;
    keys += Number(/keys=(\d+)/.exec(value)?.[1] ?? 0);
    expiring += Number(/expires=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return { keys, expiring };
}
