import { runDaemon } from '../../app/daemon/daemon.ts';
import { provideChildren } from '../../app/daemon/children.ts';
import { openNotifier } from '../../app/daemon/notify.ts';
import { defineCommand } from '../define-command.ts';
import { logLevel } from '../log-level.ts';

/** systemd's TimeoutStopSec must be longer. Milliseconds. */
const drain = 60_000;

export const runCommand = defineCommand<object, undefined>({
  usage: 'run',
  summary: 'The daemon, in the foreground: scheduled backups, proofs and pruning',
  ownOutput: true,
  async run(context) {
    await runDaemon({
      build: () => context.newApp(),
      notifier: openNotifier(context.env),
      children: provideChildren({
        program: context.program,
        env: context.env,
        level: logLevel(context.globals, true),
      }),
      stop: context.signal,
      cut: context.cut,
      drain,
      onReload(callback) {
        process.on('SIGHUP', callback);
        return () => process.off('SIGHUP', callback);
      },
    });
    return undefined;
  },
  render: () => '',
});
