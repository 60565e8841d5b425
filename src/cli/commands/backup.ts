import { counted, verb } from '../../lib/text/counted.ts';
import { backupCluster, type ClusterBackupReport } from '../../app/backup-cluster.ts';
import type { BackupKind } from '../../domain/backup.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { printable } from '../../lib/text/printable.ts';
import { backupAofJob } from '../../jobs/backup/backup-aof-job.ts';
import { runBackupCycle, type BackupCycleReport } from '../../jobs/backup/backup-cycle.ts';
import { backupJob } from '../../jobs/backup/backup-job.ts';
import { countKeys } from '../../jobs/backup/backup.ts';
import type { RunJob } from '../../jobs/job.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import type { Style } from '../render/style.ts';
import { wrap } from '../render/wrap.ts';

interface Args {
  kind: BackupKind;
  verify: boolean;
  prune: boolean;
  skipPreflight: boolean;
  takeOver: boolean;
  cluster: boolean;
}

type Result = { kind: 'one'; report: BackupCycleReport } | { kind: 'cluster'; report: ClusterBackupReport };

export const backupCommand = defineCommand<Args, Result>({
  usage: 'backup',
  summary: 'Take a backup now, prove it, and let the old ones go',
  options: (yargs) =>
    yargs
      .option('kind', {
        requiresArg: true,
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
      })
      .option('cluster', {
        type: 'boolean',
        default: false,
        describe:
          'Of every master of the cluster that the instance is a node of, each into a prefix of its own',
      }),
  async run(context, { kind, cluster, ...options }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const job = kind === 'aof' ? backupAofJob : backupJob;
    if (cluster)
      return { kind: 'cluster', report: await backupCluster(app, instance, job, options, context) };
    const run: RunJob = (task, how) => app.run(task, instance, how, context);
    return { kind: 'one', report: await runBackupCycle(run, job, app.settings, options) };
  },
  render({ kind, report }, { style, width }) {
    return kind === 'one' ? renderOne(report, style) : renderCluster(report, style, width);
  },
  document: ({ report }) => report,
  exitCode: ({ kind, report }) => (kind === 'one' ? exitOf(report) : exitOfCluster(report)),
});

function renderOne({ backup, verification, pruned }: BackupCycleReport, style: Style): string {
  const [artefact] = backup.artefacts;
  const lines = [
    `${style.strong(backup.id)}  ${backup.kind === 'aof' ? 'the AOF, ' : ''}${backup.keyspace.exact ? '' : 'about '}${counted(countKeys(backup), 'key')}, ${formatBytes(artefact?.plain.bytes ?? 0)}` +
      ` → ${formatBytes(artefact?.stored.bytes ?? 0)} in ${formatDuration(backup.duration_seconds * 1000)}`,
  ];
  if (verification !== undefined)
    lines.push(
      `${verification.verdict === 'ok' ? style.good('proven') : style.bad(verification.verdict)}: ${printable(verification.summary)}`,
    );
  if (pruned !== undefined && pruned.removed.length > 0)
    lines.push(`removed ${pruned.removed.length} old (${formatBytes(pruned.freed_bytes)})`);
  return lines.join('\n');
}

function renderCluster({ nodes, problems }: ClusterBackupReport, style: Style, width: number): string {
  const kept = nodes.filter(({ report }) => report !== null).length;
  return [
    ...nodes.flatMap(({ instance, url, slots, report, error }) => [
      `${style.strong(printable(instance))} at ${printable(url)}`,
      ...wrap(`slots ${slots}`, width - 2)
        .split('\n')
        .map((line) => `  ${line}`),
      ...(report === null
        ? []
        : renderOne(report, style)
            .split('\n')
            .map((line) => `  ${line}`)),
      ...(error === null
        ? []
        : wrap(
            `failed: ${printable(error.message)}${error.hint === undefined ? '' : `; ${printable(error.hint)}`}`,
            width - 2,
          )
            .split('\n')
            .map((line) => style.bad(`  ${line}`))),
    ]),
    ...problems.map((problem) => style.warning(wrap(printable(problem), width))),
    kept === nodes.length
      ? style.good(
          `${kept === 1 ? 'the one master' : `all ${kept} masters`} of the cluster ${verb(kept, 'is', 'are')} backed up`,
        )
      : style.bad(`${kept} of ${counted(nodes.length, 'master')} of the cluster are backed up`),
  ].join('\n');
}

function exitOf({ verification }: BackupCycleReport): number {
  return verification === undefined || verification.verdict === 'ok' ? exitCodes.ok : exitCodes.damaged;
}

function exitOfCluster({ nodes, problems }: ClusterBackupReport): number {
  const damaged = nodes.some(({ report }) => report !== null && exitOf(report) !== exitCodes.ok);
  if (damaged) return exitCodes.damaged;
  const whole = problems.length === 0 && nodes.every(({ error }) => error === null);
  return whole ? exitCodes.ok : exitCodes.failed;
}
