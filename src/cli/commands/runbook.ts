import type { RunbookReport, RunbookTopic } from '../../app/runbook/report.ts';
import { runbookTopics } from '../../app/runbook/report.ts';
import { runRunbooks } from '../../app/runbook/run-runbook.ts';
import { defineCommand } from '../define-command.ts';
import { renderRunbooks } from '../render/runbook.ts';

interface Runbooks {
  /** Undefined: all were looked at. */
  topic: RunbookTopic | undefined;
  reports: RunbookReport[];
}

export const runbookCommand = defineCommand<{ topic: RunbookTopic | undefined }, Runbooks>({
  usage: 'runbook [topic]',
  summary: 'In an emergency: looks, says what it found, and offers the next step',
  options: (yargs) =>
    yargs.positional('topic', {
      type: 'string',
      choices: runbookTopics,
      describe: 'What is wrong, where that is known; all are looked at when left out',
    }),
  examples: [
    ['$0 runbook', 'what is it?'],
    ['$0 runbook memory', 'writes are refused: OOM'],
  ],
  async run(context, { topic }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    return { topic, reports: await runRunbooks(app, instance, topic, context) };
  },
  document: ({ reports }) => ({ reports }),
  render: ({ topic, reports }, { style, width }) =>
    renderRunbooks(reports, topic === undefined, style, width),
});
