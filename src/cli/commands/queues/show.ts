import { chooseQueue } from '../../../app/queues/choose-queue.ts';
import { readQueuesNow } from '../../../app/queues/read-queues.ts';
import { readKept } from '../../../monitor/look-at-jobs.ts';
import { workerName } from '../../../monitor/collect/queues/workers.ts';
import { defineCommand } from '../../define-command.ts';
import { queueDocument } from '../../render/queues.ts';
import { renderQueue, type OneQueue } from '../../render/queue.ts';

export const queuesShowCommand = defineCommand<{ name: string; search: boolean }, OneQueue>({
  usage: 'queues show <name>',
  summary: 'One queue: what waits, who works on it, what ended jobs hold',
  options: (yargs) =>
    yargs
      .positional('name', {
        type: 'string',
        demandOption: true,
        describe: 'As `queues` lists it; its prefix may be left out',
      })
      .option('search', { type: 'boolean', default: false, describe: 'Look for queues anew' }),
  async run(context, { name, search }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const { signal, progress } = context;
    const { at, queues, workers } = await readQueuesNow(app, instance, { signal, progress, search });
    const queue = chooseQueue(queues, name);
    const { ref } = queue.reading;
    const connection = await app.connect(instance, signal);
    try {
      return {
        instance: instance.name,
        at,
        queue,
        workers: workers.filter(
          ({ queue: of, takes }) => of === workerName(ref.prefix, ref.name) && (takes || ref.kind !== 'bull'),
        ),
        kept: await readKept(connection, ref, queue.reading),
      };
    } finally {
      connection.close();
    }
  },
  document: ({ instance, at, queue, workers, kept }) => ({
    instance,
    at: new Date(at).toISOString(),
    ...queueDocument(queue, at),
    completed_bytes: kept.completed,
    failed_bytes: kept.failed,
    connected: workers.map(({ name, address, idle, blocked }) => ({
      name: name === '' ? null : name,
      address,
      idle_seconds: idle,
      waits: blocked,
    })),
  }),
  render: renderQueue,
});
