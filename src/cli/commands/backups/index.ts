import type { CommandGroup } from '../../define-command.ts';
import { backupsAcceptCommand } from './accept.ts';
import { backupsListCommand } from './list.ts';
import { backupsPruneCommand } from './prune.ts';
import { backupsShowCommand } from './show.ts';
import { backupsVerifyCommand } from './verify.ts';

export const backupsCommands: CommandGroup = {
  word: 'backups',
  summary: 'The repository: list, show, verify, accept, prune',
  commands: [
    backupsListCommand,
    backupsShowCommand,
    backupsVerifyCommand,
    backupsAcceptCommand,
    backupsPruneCommand,
  ],
};
