import { checkChannels } from '../../../app/check/channels.ts';
import { checkPath, type CheckLine } from '../../../app/check/check-path.ts';
import {
  connectionExitCode,
  connectionOptions,
  runConnection,
  type ComparedReport,
  type ConnectionArgs,
} from './run-connection.ts';
import { defineCommand, type CommandContext } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderConnection } from '../../render/connection.ts';
import { renderTable } from '../../render/table.ts';

type Args = Omit<ConnectionArgs, 'connection'> & { connection?: string | undefined };

export const checkCommand = defineCommand<Args, CheckLine[] | ComparedReport>({
  usage: 'check',
  summary: 'Prove the whole path now: server, rights, disk, repository, channels',
  options: connectionOptions,
  examples: [
    ['$0 check', 'the whole path of every instance'],
    ['$0 check --connection redis://10.0.0.5:6379 --password-file F', 'a connection, timed'],
  ],
  run(context, { connection, ...args }) {
    return connection === undefined ? checkAll(context) : runConnection(context, { ...args, connection });
  },
  render(result, context) {
    if (!Array.isArray(result)) return renderConnection(result, context);
    const { style } = context;
    const paint = { ok: style.good, warning: style.warning, failed: style.bad };
    return renderTable(
      [{ title: '' }, { title: '' }, { title: '' }, { title: '' }],
      result.map(({ instance, what, verdict, detail, next }) => [
        instance,
        what,
        { text: verdict, paint: paint[verdict] },
        next === null ? detail : `${detail}; ${next}`,
      ]),
    );
  },
  exitCode(result) {
    if (!Array.isArray(result)) return connectionExitCode(result);
    return result.some(({ verdict }) => verdict === 'failed') ? exitCodes.findings : exitCodes.ok;
  },
});

async function checkAll(context: CommandContext): Promise<CheckLine[]> {
  const app = await context.app();
  const lines: CheckLine[] = [];
  for (const instance of app.instances(context.globals.instance)) {
    context.progress.report({ phase: `checking ${instance.name}` });
    lines.push(...(await checkPath(app, instance, context.signal)));
  }
  lines.push(...(await checkChannels(app, context.signal)));
  return lines;
}
