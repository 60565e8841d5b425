import type { CommandGroup } from '../../define-command.ts';
import { hardenAclSuggestCommand } from './acl-suggest.ts';
import { hardenApplyCommand } from './apply.ts';
import { hardenEnforceCommand } from './enforce.ts';
import { hardenHistoryCommand } from './history.ts';
import { hardenPlanCommand } from './plan.ts';
import { hardenRenderCommand } from './render.ts';
import { hardenRollbackCommand } from './rollback.ts';
import { hardenTlsEnableCommand } from './tls-enable.ts';

export const hardenCommands: CommandGroup = {
  word: 'harden',
  summary:
    'Bring servers to a policy: render, plan, apply, rollback, history, enforce, acl suggest, tls enable',
  commands: [
    hardenRenderCommand,
    hardenPlanCommand,
    hardenApplyCommand,
    hardenRollbackCommand,
    hardenHistoryCommand,
    hardenEnforceCommand,
    hardenAclSuggestCommand,
    hardenTlsEnableCommand,
  ],
};
