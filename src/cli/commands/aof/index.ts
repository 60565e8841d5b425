import type { CommandGroup } from '../../define-command.ts';
import { aofCheckCommand } from './check.ts';

export const aofCommands: CommandGroup = {
  word: 'aof',
  summary: 'The append only file: check',
  commands: [aofCheckCommand],
};
