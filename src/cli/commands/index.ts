import type { AnyCommand } from '../define-command.ts';
import { alertsAckCommand } from './alerts-ack.ts';
import { alertsHistoryCommand } from './alerts-history.ts';
import { alertsListCommand } from './alerts-list.ts';
import { alertsShowCommand } from './alerts-show.ts';
import { alertsSilenceCommand } from './alerts-silence.ts';
import { alertsTestCommand } from './alerts-test.ts';
import { alertsUnsilenceCommand } from './alerts-unsilence.ts';
import { aofCheckCommand } from './aof-check.ts';
import { auditCommand } from './audit.ts';
import { backupCommand } from './backup.ts';
import { backupsAcceptCommand } from './backups-accept.ts';
import { backupsListCommand } from './backups-list.ts';
import { backupsPruneCommand } from './backups-prune.ts';
import { backupsShowCommand } from './backups-show.ts';
import { backupsVerifyCommand } from './backups-verify.ts';
import { checkCommand } from './check.ts';
import { configCheckCommand } from './config-check.ts';
import { configExampleCommand } from './config-example.ts';
import { configSchemaCommand } from './config-schema.ts';
import { configShowCommand } from './config-show.ts';
import { drillCommand } from './drill.ts';
import { explainCommand } from './explain.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { keysDiffCommand } from './keys-diff.ts';
import { maintenanceDoneCommand } from './maintenance/done.ts';
import { maintenanceHistoryCommand } from './maintenance/history.ts';
import { maintenanceListCommand } from './maintenance/list.ts';
import { maintenanceRunCommand } from './maintenance/run.ts';
import { maintenanceShowCommand } from './maintenance/show.ts';
import { maintenanceSkipCommand } from './maintenance/skip.ts';
import { rdbCheckCommand } from './rdb-check.ts';
import { reportCommand } from './report.ts';
import { restoreCommand } from './restore.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';
import { clientsCommand } from './clients.ts';
import { historyCommand } from './history.ts';
import { latencyCommand } from './latency.ts';
import { memoryCommand } from './memory.ts';
import { slowlogCommand } from './slowlog.ts';

/** Every command, in the order in which the help shows them. */
export const commands: readonly AnyCommand[] = [
  initCommand,
  checkCommand,
  statusCommand,
  memoryCommand,
  slowlogCommand,
  latencyCommand,
  clientsCommand,
  historyCommand,
  alertsListCommand,
  alertsShowCommand,
  alertsSilenceCommand,
  alertsUnsilenceCommand,
  alertsAckCommand,
  alertsTestCommand,
  alertsHistoryCommand,
  explainCommand,
  runCommand,
  backupCommand,
  backupsListCommand,
  backupsShowCommand,
  backupsVerifyCommand,
  backupsAcceptCommand,
  backupsPruneCommand,
  keysCommand,
  keysDiffCommand,
  rdbCheckCommand,
  restoreCommand,
  drillCommand,
  aofCheckCommand,
  maintenanceListCommand,
  maintenanceShowCommand,
  maintenanceRunCommand,
  maintenanceDoneCommand,
  maintenanceSkipCommand,
  maintenanceHistoryCommand,
  auditCommand,
  reportCommand,
  configCheckCommand,
  configShowCommand,
  configExampleCommand,
  configSchemaCommand,
];
