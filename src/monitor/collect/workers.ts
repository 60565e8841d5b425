import type { Collector } from './parts/collector.ts';
import { textOf } from './parts/numbers.ts';
import { countWorkers, workersIn } from './queues/workers.ts';

/** As for the list of clients: it costs the server more than a microsecond each. */
const mostClients = 5000;

/** Who works on Bull's queues: their connections say so by their names. */
export const workersCollector: Collector = {
  name: 'workers',
  rights: ['+client|list'],
  every: 60_000,
  frugal: null,
  applies: ({ queues, clients, mode, replica }) =>
    mode !== 'sentinel' &&
    !replica &&
    clients <= mostClients &&
    queues.refs.some(({ kind }) => kind === 'bull' || kind === 'bullmq'),
  commands: () => [['CLIENT', 'LIST']],
  read([reply], draft) {
    draft.known.workers = countWorkers(workersIn(textOf(reply)));
  },
};
