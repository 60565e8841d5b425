import { readQueuesNow, type QueuesNow } from '../../../app/queues/read-queues.ts';
import { defineCommand } from '../../define-command.ts';
import { queuesDocument, renderQueues } from '../../render/queues.ts';

export const queuesCommand = defineCommand<{ search: boolean }, QueuesNow[]>({
  usage: 'queues',
  summary: 'Queues as they are now: what waits and for how long, workers, failures',
  options: (yargs) =>
    yargs.option('search', {
      type: 'boolean',
      default: false,
      describe: 'Look for queues anew; the daemon does that once an hour',
    }),
  examples: [['$0 queues show mail', 'all that is known of one']],
  async run(context, { search }) {
    const app = await context.app();
    const { signal, progress } = context;
    const all: QueuesNow[] = [];
    for (const instance of app.instances(context.globals.instance))
      all.push(await readQueuesNow(app, instance, { signal, progress, search }));
    return all;
  },
  document: (all) => all.map(queuesDocument),
  render: (all, context) => all.map((one) => renderQueues(one, context, all.length > 1)).join('\n\n'),
});
