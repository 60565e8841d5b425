import { readClients, type SeenClients } from '../../state/series/tallies.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { defineCommand } from '../define-command.ts';
import { renderCsv } from '../render/csv.ts';
import { renderTable } from '../render/table.ts';
import { formatAge } from '../render/time.ts';
import { historyOptions, parseSince } from '../since.ts';

interface Clients {
  instance: string;
  since: number;
  csv: boolean;
  clients: SeenClients[];
}

export const clientsCommand = defineCommand<{ since: string; csv: boolean }, Clients>({
  usage: 'clients',
  summary: 'Who was connected, by address and name, without the agent itself',
  options: (yargs) => historyOptions(yargs, '1h'),
  examples: [['$0 clients --since 7d', 'the most of each in a week']],
  async run(context, { since, csv }) {
    const span = parseSince(since);
    const app = await context.app();
    const { name } = app.instance(context.globals.instance);
    const from = context.clock.now() - span;
    return { instance: name, since: from, csv, clients: readClients(app.series(), name, from) };
  },
  document: ({ instance, since, clients }) => ({
    instance,
    since: new Date(since).toISOString(),
    clients: clients.map(({ address, name, user, count, most, idle, memory, last }) => ({
      address,
      name,
      user,
      count,
      most,
      idle_seconds: idle,
      memory_bytes: memory,
      last: new Date(last).toISOString(),
    })),
  }),
  render({ clients, csv }, { now }) {
    if (csv)
      return renderCsv(
        ['address', 'name', 'user', 'count', 'most', 'idle_seconds', 'memory_bytes', 'last'],
        clients.map(({ address, name, user, count, most, idle, memory, last }) => [
          address,
          name,
          user,
          count,
          most,
          idle,
          memory,
          new Date(last).toISOString(),
        ]),
      );
    if (clients.length === 0)
      return 'nobody was seen in this time; the daemon (redis-agent run) looks every five minutes';
    return renderTable(
      [
        { title: 'ADDRESS' },
        { title: 'NAME' },
        { title: 'USER' },
        { title: 'LAST', align: 'right' },
        { title: 'MOST', align: 'right' },
        { title: 'IDLE', align: 'right' },
        { title: 'MEMORY', align: 'right' },
        { title: 'SEEN' },
      ],
      clients.map(({ address, name, user, count, most, idle, memory, last }) => [
        address,
        name === '' ? '–' : name,
        user === '' ? '–' : user,
        String(count),
        String(most),
        formatDuration(idle * 1000),
        formatBytes(memory),
        formatAge(last, now),
      ]),
    );
  },
});
