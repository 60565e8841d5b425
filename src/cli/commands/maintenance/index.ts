import type { CommandGroup } from '../../define-command.ts';
import { maintenanceDoneCommand } from './done.ts';
import { maintenanceHistoryCommand } from './history.ts';
import { maintenanceListCommand } from './list.ts';
import { maintenanceRunCommand } from './run.ts';
import { maintenanceShowCommand } from './show.ts';
import { maintenanceSkipCommand } from './skip.ts';

export const maintenanceCommands: CommandGroup = {
  word: 'maintenance',
  summary: 'The rotations: list, show, run, done, skip, history',
  commands: [
    maintenanceListCommand,
    maintenanceShowCommand,
    maintenanceRunCommand,
    maintenanceDoneCommand,
    maintenanceSkipCommand,
    maintenanceHistoryCommand,
  ],
};
