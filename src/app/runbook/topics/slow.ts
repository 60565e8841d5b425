import { lookAtSilent } from '../silent-process.ts';
import { cli, tryAsk, type Runbook, type Sight, type NextStep } from '../report.ts';

/** Milliseconds that a connection to this host, or a near one, takes. */
const quick = 20;

export const slowRunbook: Runbook = async (context) => {
  const { info, instance, failure, roundTrip } = context;
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const busy = failure?.reason === 'busy';
  if (busy) {
    found.push({
      state: 'cause',
      text: 'a script has been running for longer than the server lets others wait (BUSY)',
    });
    steps.push(
      {
        why: 'ends the script, which has written nothing yet, or says that it has',
        command: `${cli(instance)} SCRIPT KILL`,
        effect: 'changes',
      },
      {
        why: 'ends a function, where that is what runs (7.0 and later)',
        command: `${cli(instance)} FUNCTION KILL`,
        effect: 'changes',
      },
    );
  } else if (failure !== undefined) {
    found.push({ state: failure.reason === 'timeout' ? 'cause' : 'unknown', text: failure.message });
    if (failure.reason === 'timeout') {
      const silent = await lookAtSilent(instance.url, context);
      found.push(...silent.found);
      steps.push(...silent.steps);
    }
  }
  if (roundTrip !== undefined)
    found.push({
      state: roundTrip > quick ? 'cause' : 'fine',
      text: `it answered PING in ${roundTrip.toFixed(1)} ms, the way there and back`,
    });
  const slowest = await slowCommands(context, found);
  for (const { micros, words } of slowest)
    found.push({ state: 'cause', text: `${(micros / 1000).toFixed(0)} ms in the server: ${words}` });
  for (const { name, share, each } of heaviest(info))
    found.push({ state: 'note', text: `${name} takes ${share} % of the time in commands, ${each} µs each` });
  const fork = Number(info.get('latest_fork_usec') ?? 0);
  if (fork > 100_000)
    found.push({ state: 'note', text: `the last fork held it up for ${Math.round(fork / 1000)} ms` });
  if (info.get('rdb_bgsave_in_progress') === '1' || info.get('aof_rewrite_in_progress') === '1')
    found.push({ state: 'note', text: 'it is saving right now, which costs memory and time' });
  steps.push(
    {
      why: 'slow commands of the past, by what they are',
      command: 'redis-agent slowlog --since 1h',
      effect: 'looks',
    },
    {
      why: 'the way and the server apart, and which commands take its time',
      command: 'redis-agent latency',
      effect: 'looks',
    },
    {
      why: 'how many connections each client has: a pool that is too small waits, too',
      command: 'redis-agent runbook connections',
      effect: 'looks',
    },
  );
  return {
    applies: busy || failure?.reason === 'timeout' || slowest.length > 0 || (roundTrip ?? 0) > quick,
    found,
    steps,
  };
};

async function slowCommands(
  context: Parameters<Runbook>[0],
  found: Sight[],
): Promise<{ micros: number; words: string }[]> {
  const reply = await tryAsk(context, found, 'slowlog|get', 'SLOWLOG', 'GET', '20');
  if (!Array.isArray(reply)) return [];
  const since = context.clock.now() / 1000 - 3600;
  return reply
    .flatMap((entry) => {
      const [, at, micros, args] = Array.isArray(entry) ? entry : [];
      // The command and no value of it.
      const words = Array.isArray(args) ? String(args[0]).toUpperCase() : '';
      return Number(at) > since ? [{ micros: Number(micros), words }] : [];
    })
    .toSorted((a, b) => b.micros - a.micros)
    .slice(0, 3);
}

function heaviest(info: ReadonlyMap<string, string>): { name: string; share: number; each: string }[] {
  const all = [...info].flatMap(([name, value]) => {
    const usec = Number(/usec=(\d+)/.exec(value)?.[1] ?? 0);
    return name.startsWith('cmdstat_') && usec > 0
      ? [
          {
            name: name.slice('cmdstat_'.length),
            usec,
            each: /usec_per_call=([\d.]+)/.exec(value)?.[1] ?? '?',
          },
        ]
      : [];
  });
  const total = all.reduce((sum, { usec }) => sum + usec, 0);
  return all
    .toSorted((a, b) => b.usec - a.usec)
    .slice(0, 3)
    .map(({ name, usec, each }) => ({ name, share: Math.round((100 * usec) / total), each }));
}
