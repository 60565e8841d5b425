import type { AnyCommand, CommandGroup } from '../define-command.ts';

type Entry = AnyCommand | CommandGroup;

/**
 * Every command and every group of commands by the first word that is typed, in the order in which the help shows them. Each is
 * loaded, with the jobs behind it, when somebody has typed that word.
 */
const all: readonly (readonly [word: string, load: () => Promise<Entry>])[] = [
  ['init', async () => (await import('./init.ts')).initCommand],
  ['check', async () => (await import('./check/check.ts')).checkCommand],
  ['status', async () => (await import('./status.ts')).statusCommand],
  ['memory', async () => (await import('./memory.ts')).memoryCommand],
  ['slowlog', async () => (await import('./slowlog.ts')).slowlogCommand],
  ['latency', async () => (await import('./latency.ts')).latencyCommand],
  ['clients', async () => (await import('./clients.ts')).clientsCommand],
  ['queues', async () => (await import('./queues/queues.ts')).queuesCommand],
  ['queues', async () => (await import('./queues/show.ts')).queuesShowCommand],
  ['queues', async () => (await import('./queues/failed.ts')).queuesFailedCommand],
  ['history', async () => (await import('./history.ts')).historyCommand],
  ['alerts', async () => (await import('./alerts/index.ts')).alertsCommands],
  ['explain', async () => (await import('./explain.ts')).explainCommand],
  ['runbook', async () => (await import('./runbook.ts')).runbookCommand],
  ['run', async () => (await import('./run.ts')).runCommand],
  ['backup', async () => (await import('./backup.ts')).backupCommand],
  ['backups', async () => (await import('./backups/index.ts')).backupsCommands],
  ['keys', async () => (await import('./keys/keys.ts')).keysCommand],
  ['keys', async () => (await import('./keys/diff.ts')).keysDiffCommand],
  ['rdb', async () => (await import('./rdb/index.ts')).rdbCommands],
  ['restore', async () => (await import('./restore/restore.ts')).restoreCommand],
  ['drill', async () => (await import('./drill.ts')).drillCommand],
  ['aof', async () => (await import('./aof/index.ts')).aofCommands],
  ['maintenance', async () => (await import('./maintenance/index.ts')).maintenanceCommands],
  ['audit', async () => (await import('./audit/audit.ts')).auditCommand],
  ['harden', async () => (await import('./harden/index.ts')).hardenCommands],
  ['rotate-password', async () => (await import('./rotate-password.ts')).rotatePasswordCommand],
  ['report', async () => (await import('./report.ts')).reportCommand],
  ['config', async () => (await import('./config/index.ts')).configCommands],
];

export interface Commands {
  /** In the order in which the help shows them. */
  commands: readonly AnyCommand[];
  /** What the help says of a group's first word. */
  groupSummaries: ReadonlyMap<string, string>;
}

/** Those that begin with a word; all of them where none does, or no word is given. */
export async function loadCommands(first?: string): Promise<Commands> {
  const meant = all.filter(([word]) => word === first);
  const entries = await Promise.all((meant.length === 0 ? all : meant).map(([, load]) => load()));
  return {
    commands: entries.flatMap((entry) => ('commands' in entry ? entry.commands : [entry])),
    groupSummaries: new Map(
      entries.flatMap((entry) => ('commands' in entry ? [[entry.word, entry.summary]] : [])),
    ),
  };
}
