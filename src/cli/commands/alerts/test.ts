import { chosenChannels, testChannel, type ChannelTest } from '../../../app/alerts/test-channels.ts';
import { defineCommand } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderTable } from '../../render/table.ts';

export const alertsTestCommand = defineCommand<{ channel?: string }, ChannelTest[]>({
  usage: 'alerts test [channel]',
  summary: 'Send a message that is marked as a test, and its end, and show what was answered',
  options: (yargs) =>
    yargs.positional('channel', { type: 'string', describe: 'Its name; all when left out' }),
  async run(context, { channel }) {
    const app = await context.app();
    const results: ChannelTest[] = [];
    for (const settings of chosenChannels(app, channel)) {
      context.progress.report({ phase: `sending to ${settings.name}` });
      results.push(await testChannel(app, settings, context.signal));
    }
    return results;
  },
  render: (results, { style }) =>
    renderTable(
      [{ title: '' }, { title: '' }, { title: '' }],
      results.map(({ channel, ok, answer, next }) => [
        channel,
        { text: ok ? 'sent' : 'failed', paint: ok ? style.good : style.bad },
        next === null ? answer : `${answer}; ${next}`,
      ]),
    ),
  exitCode: (results) => (results.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.failed),
});
