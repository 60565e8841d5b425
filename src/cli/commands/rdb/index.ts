import type { CommandGroup } from '../../define-command.ts';
import { rdbCheckCommand } from './check.ts';

export const rdbCommands: CommandGroup = {
  word: 'rdb',
  summary: 'A dump: check',
  commands: [rdbCheckCommand],
};
