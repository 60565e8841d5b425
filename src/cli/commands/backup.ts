import type { BackupKind } from '../../domain/backup.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { backupAofJob } from '../../jobs/backup/backup-aof.ts';
import { runBackupCycle, type BackupCycleReport } from '../../jobs/backup/backup-cycle.ts';
import { backupJob, countKeys } from '../../jobs/backup/backup.ts';
import type { RunJob } from '../../jobs/job.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';

interface Args {
  kind: BackupKind;
  verify: boolean;
  prune: boolean;
  skipPreflight: boolean;
  takeOver: boolean;
}

export const backupCommand = defineCommand<Args, BackupCycleReport>({
  usage: 'backup',
  summary: 'Take a backup now, prove it, and let the old ones go',
  options: (yargs) =>
    yargs
      .option('kind', {
        choices: ['rdb', 'aof'] as const,
        default: 'rdb' as const,
        describe: 'Of what: a snapshot, or the append only file with all its parts',
      })
      .option('verify', {
        type: 'boolean',
        default: true,
        describe: 'Prove it afterwards (--no-verify to leave that out)',
      })
      .option('prune', {
        type: 'boolean',
        default: true,
        describe: 'Remove what the retention lets go (--no-prune)',
      })
      .option('skip-preflight', {
        type: 'boolean',
        default: false,
        describe: 'Back up even where disk, memory, replication or failed writes speak against it',
      })
      .option('take-over', {
        type: 'boolean',
        default: false,
        describe: 'Go on in a prefix that another host or server has written to',
      }),
  async run(context, { kind, ...options }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const run: RunJob = (job, how) => app.run(job, instance, how, context);
    return runBackupCycle(run, kind === 'aof' ? backupAofJob : backupJob, app.settings, options);
  },
  render({ backup, verification, pruned }, { style }) {
    const [artefact] = backup.artefacts;
    const lines = [
      `${style.strong(backup.id)}  ${backup.kind === 'aof' ? 'the AOF, ' : ''}${backup.keyspace.exact ? '' : 'about '}${countKeys(backup)} keys, ${formatBytes(artefact?.plain.bytes ?? 0)}` +
        ` → ${formatBytes(artefact?.stored.bytes ?? 0)} in ${formatDuration(backup.duration_seconds * 1000)}`,
    ];
    if (verification !== undefined)
      lines.push(
        `${verification.verdict === 'ok' ? style.good('proven') : style.bad(verification.verdict)}: ${printable(verification.summary)}`,
      );
    if (pruned !== undefined && pruned.removed.length > 0)
      lines.push(`removed ${pruned.removed.length} old (${formatBytes(pruned.freed_bytes)})`);
    return lines.join('\n');
  },
  exitCode: ({ verification }) =>
    verification === undefined || verification.verdict === 'ok' ? exitCodes.ok : exitCodes.damaged,
});
