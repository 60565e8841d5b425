import type { CommandGroup } from '../../define-command.ts';
import { hardenApplyCommand } from './apply.ts';
import { hardenHistoryCommand } from './history.ts';
import { hardenPlanCommand } from './plan.ts';
import { hardenRollbackCommand } from './rollback.ts';

export const hardenCommands: CommandGroup = {
  word: 'harden',
  summary: 'Bring servers to a policy: plan, apply, rollback, history',
  commands: [hardenPlanCommand, hardenApplyCommand, hardenRollbackCommand, hardenHistoryCommand],
};
