import { chooseQueue } from '../../../app/queues/choose-queue.ts';
import { readQueuesNow } from '../../../app/queues/read-queues.ts';
import { AgentError } from '../../../domain/errors.ts';
import { readFailures, type FailureGroup } from '../../../monitor/look-at-jobs.ts';
import { printable } from '../../../lib/text/printable.ts';
import { defineCommand } from '../../define-command.ts';
import { formatAge } from '../../render/time.ts';
import { wrap } from '../../render/wrap.ts';
import { counted } from '../../../lib/text/counted.ts';

interface Failed {
  instance: string;
  queue: string;
  /** How many are kept, and how many of them were read. */
  failed: number;
  read: number;
  groups: FailureGroup[];
}

const most = 10_000;

export const queuesFailedCommand = defineCommand<{ name: string; limit: number }, Failed>({
  usage: 'queues failed <name>',
  summary: 'Why jobs failed, in groups, with every value masked',
  options: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true, describe: 'As `queues` lists it' })
      .option('limit', {
        type: 'number',
        default: 1000,
        requiresArg: true,
        describe: 'How many to read at most, the newest first',
      }),
  async run(context, { name, limit }) {
    if (!Number.isInteger(limit) || limit < 1 || limit > most)
      throw new AgentError('usage', `--limit takes a whole number from 1 to ${most}`);
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const { signal, progress } = context;
    const { queues } = await readQueuesNow(app, instance, { signal, progress, search: false });
    const { reading } = chooseQueue(queues, name);
    if (reading.ref.kind !== 'bull' && reading.ref.kind !== 'bullmq')
      throw new AgentError('usage', `${printable(reading.label)} keeps no failed jobs`, {
        hint: 'only Bull and BullMQ do',
      });
    const connection = await app.connect(instance, signal);
    try {
      const { groups, read } = await readFailures(connection, reading.ref, limit);
      return { instance: instance.name, queue: reading.label, failed: reading.failed, read, groups };
    } finally {
      connection.close();
    }
  },
  document: ({ groups, ...rest }) => ({
    ...rest,
    groups: groups.map(({ reason, frame, names, count, first, last, id, attempts }) => ({
      reason,
      frame,
      jobs: names,
      count,
      first: new Date(first).toISOString(),
      last: new Date(last).toISOString(),
      newest_id: id,
      attempts,
    })),
  }),
  render({ queue, failed, read, groups }, { style, width, now }) {
    if (groups.length === 0) return `${printable(queue)}: no failed jobs are kept`;
    const title = `${style.strong(printable(queue))}: ${failed} failed${read < failed ? `, the newest ${read} of them` : ''}`;
    const blocks = groups.slice(0, 30).map(({ reason, frame, names, count, last, id, attempts }) => {
      const jobs = names.length === 0 ? '' : `${names.join(', ')}; `;
      const tries = attempts === null ? '' : `, ${attempts} attempt${attempts === 1 ? '' : 's'}`;
      return [
        wrap(`${style.strong(`${count} ×`)} ${printable(reason)}`, width),
        ...(frame === null ? [] : [`    ${style.faint(printable(frame))}`]),
        `    ${jobs}last ${formatAge(last, now)} (job ${printable(id)}${tries})`,
      ].join('\n');
    });
    const more =
      groups.length > 30 ? [`and ${counted(groups.length - 30, 'more group')}: --json has them`] : [];
    return [title, ...blocks, ...more].join('\n\n');
  },
});
