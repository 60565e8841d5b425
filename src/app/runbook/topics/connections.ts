import { counted } from '../../../lib/text/counted.ts';
import { infoInteger } from '../../../formats/info/parse-info.ts';
import { parseClientList } from '../../../formats/clients/client-list.ts';
import { connectionsByProcess } from '../connected-processes.ts';
import { cli, tryAsk, type Runbook, type Sight, type NextStep } from '../report.ts';

export const connectionsRunbook: Runbook = async (context) => {
  const { info, instance, failure } = context;
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const filled = /max number of clients/i.test(failure?.message ?? '');
  if (filled) {
    found.push({
      state: 'cause',
      text: 'maxclients is reached: it lets nobody in any more, not even the agent',
    });
    const holders = await connectionsByProcess(instance.url);
    for (const { pid, program, count } of holders.slice(0, 5))
      found.push({
        state: 'note',
        text: `${counted(count, 'connection')} of ${program} (pid ${pid}) on this host`,
      });
    const [worst] = holders;
    if (worst === undefined)
      found.push({ state: 'unknown', text: 'whose they are: run it as root on the host of the clients' });
    else
      steps.push({
        why: `ends the program with the most of them, ${worst.program}; restart it with a smaller pool`,
        command: `kill ${worst.pid}`,
        effect: 'loses',
      });
    steps.push({
      why: 'once somebody is in: room for more, where CONFIG GET maxclients says less (LimitNOFILE of the unit bounds it)',
      command: `${cli(instance)} CONFIG SET maxclients 20000`,
      effect: 'changes',
    });
    return { applies: true, found, steps };
  }
  const most = infoInteger(info, 'maxclients') ?? (await maxclients(context, found));
  const now = infoInteger(info, 'connected_clients') ?? 0;
  const near = most > 0 && now > 0.8 * most;
  if (failure === undefined)
    found.push({ state: near ? 'cause' : 'fine', text: `${counted(now, 'connection')} of at most ${most}` });
  const rejected = infoInteger(info, 'rejected_connections') ?? 0;
  if (rejected > 0)
    found.push({
      state: 'cause',
      text: `${counted(rejected, 'connection was', 'connections were')} turned away since it started`,
    });
  const list = await tryAsk(context, found, 'client|list', 'CLIENT', 'LIST');
  const by = Map.groupBy(parseClientList(String(list ?? '')), ({ address, name, user }) =>
    [address.replace(/:\d+$/, ''), name || '(no name)', user].join('  '),
  );
  const groups = [...by].toSorted(([, a], [, b]) => b.length - a.length).slice(0, 5);
  for (const [who, all] of groups) {
    const idle = all.filter(
      ({ command }) => !/^(?:blpop|brpop|bzpop|xread|subscribe|psubscribe)/.test(command),
    ).length;
    found.push({ state: 'note', text: `${all.length} from ${who}, ${idle} of them not waiting for work` });
  }
  if (near)
    steps.push({
      why: 'room until the client with the most of them has been mended',
      command: `${cli(instance)} CONFIG SET maxclients ${Math.ceil((most * 2) / 1000) * 1000}`,
      effect: 'changes',
    });
  steps.push(
    { why: 'who had how many over time', command: 'redis-agent clients --since 24h', effect: 'looks' },
    {
      why: 'closes connections that have been idle for five minutes from now on',
      command: `${cli(instance)} CONFIG SET timeout 300`,
      effect: 'changes',
    },
  );
  return { applies: near || rejected > 0, found, steps };
};

async function maxclients(context: Parameters<Runbook>[0], found: Sight[]): Promise<number> {
  const reply = await tryAsk(context, found, 'config|get', 'CONFIG', 'GET', 'maxclients');
  return Array.isArray(reply) ? Number(reply[1]) : 0;
}
