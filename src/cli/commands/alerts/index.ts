import type { CommandGroup } from '../../define-command.ts';
import { alertsAckCommand } from './ack.ts';
import { alertsHistoryCommand } from './history.ts';
import { alertsListCommand } from './list.ts';
import { alertsShowCommand } from './show.ts';
import { alertsSilenceCommand } from './silence.ts';
import { alertsTestCommand } from './test.ts';
import { alertsUnsilenceCommand } from './unsilence.ts';

export const alertsCommands: CommandGroup = {
  word: 'alerts',
  summary: 'What is wrong and who hears of it: list, show, silence, unsilence, ack, test, history',
  commands: [
    alertsListCommand,
    alertsShowCommand,
    alertsSilenceCommand,
    alertsUnsilenceCommand,
    alertsAckCommand,
    alertsTestCommand,
    alertsHistoryCommand,
  ],
};
