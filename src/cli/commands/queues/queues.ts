import { readQueuesNow, type QueuesNow } from '../../../app/queues/read-queues.ts';
import { AgentError } from '../../../domain/errors.ts';
import { defineCommand } from '../../define-command.ts';
import { queuesDocument, queuesLine, renderQueues } from '../../render/queues.ts';
import { watchInterval, watchOption, type WatchArgs } from '../../watch-command.ts';

export const queuesCommand = defineCommand<{ search: boolean } & WatchArgs, QueuesNow[]>({
  usage: 'queues',
  summary: 'Queues as they are now: what waits and for how long, workers, failures',
  options: (yargs) =>
    watchOption(yargs).option('search', {
      type: 'boolean',
      default: false,
      describe: 'Look for queues anew; the daemon does that once an hour',
    }),
  examples: [
    ['$0 queues --watch', 'again with every poll'],
    ['$0 queues show mail', 'all that is known of one'],
  ],
  async run(context, { search, watch }) {
    const app = await context.app();
    const { signal, progress } = context;
    if (search && watch)
      throw new AgentError('usage', '--search does not go with --watch', {
        hint: 'look once with --search, then watch: a search costs the server more than a poll',
      });
    const all: QueuesNow[] = [];
    for (const instance of app.instances(context.globals.instance))
      all.push(await readQueuesNow(app, instance, { signal, progress, search }));
    return all;
  },
  watch: {
    async every(context, { watch }) {
      if (!watch) return undefined;
      const app = await context.app();
      return watchInterval(app, app.instances(context.globals.instance));
    },
    line: (all) => all.map(queuesLine).join('\n'),
  },
  document: (all) => all.map(queuesDocument),
  render: (all, context) => all.map((one) => renderQueues(one, context, all.length > 1)).join('\n\n'),
});
