import type { AnyCommand, CommandGroup } from '../define-command.ts';
import { alertsCommands } from './alerts/index.ts';
import { aofCommands } from './aof/index.ts';
import { auditCommand } from './audit/audit.ts';
import { backupCommand } from './backup.ts';
import { backupsCommands } from './backups/index.ts';
import { checkCommand } from './check/check.ts';
import { clientsCommand } from './clients.ts';
import { configCommands } from './config/index.ts';
import { drillCommand } from './drill.ts';
import { explainCommand } from './explain.ts';
import { hardenCommands } from './harden/index.ts';
import { historyCommand } from './history.ts';
import { initCommand } from './init.ts';
import { keysDiffCommand } from './keys/diff.ts';
import { keysCommand } from './keys/keys.ts';
import { latencyCommand } from './latency.ts';
import { maintenanceCommands } from './maintenance/index.ts';
import { memoryCommand } from './memory.ts';
import { queuesFailedCommand } from './queues/failed.ts';
import { queuesCommand } from './queues/queues.ts';
import { queuesShowCommand } from './queues/show.ts';
import { rdbCommands } from './rdb/index.ts';
import { reportCommand } from './report.ts';
import { restoreCommand } from './restore/restore.ts';
import { rotatePasswordCommand } from './rotate-password.ts';
import { runbookCommand } from './runbook.ts';
import { runCommand } from './run.ts';
import { slowlogCommand } from './slowlog.ts';
import { statusCommand } from './status.ts';

/** Every command and every group of commands with one first word, in the order in which the help shows them. */
const all: readonly (AnyCommand | CommandGroup)[] = [
  initCommand,
  checkCommand,
  statusCommand,
  memoryCommand,
  slowlogCommand,
  latencyCommand,
  clientsCommand,
  queuesCommand,
  queuesShowCommand,
  queuesFailedCommand,
  historyCommand,
  alertsCommands,
  explainCommand,
  runbookCommand,
  runCommand,
  backupCommand,
  backupsCommands,
  keysCommand,
  keysDiffCommand,
  rdbCommands,
  restoreCommand,
  drillCommand,
  aofCommands,
  maintenanceCommands,
  auditCommand,
  hardenCommands,
  rotatePasswordCommand,
  reportCommand,
  configCommands,
];

/** Every command, in the order in which the help shows them. */
export const commands: readonly AnyCommand[] = all.flatMap((entry) =>
  'commands' in entry ? entry.commands : [entry],
);

/** What the help says of a group's first word. */
export const groupSummaries: ReadonlyMap<string, string> = new Map(
  all.flatMap((entry) => ('commands' in entry ? [[entry.word, entry.summary]] : [])),
);
