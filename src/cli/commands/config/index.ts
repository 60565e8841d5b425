import type { CommandGroup } from '../../define-command.ts';
import { configCheckCommand } from './check.ts';
import { configExampleCommand } from './example.ts';
import { configSchemaCommand } from './schema.ts';
import { configShowCommand } from './show.ts';

export const configCommands: CommandGroup = {
  word: 'config',
  summary: 'The configuration: check, show, example, schema',
  commands: [configCheckCommand, configShowCommand, configExampleCommand, configSchemaCommand],
};
