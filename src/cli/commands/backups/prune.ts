import { pruneJob, type PruneReport } from '../../../jobs/backup/prune.ts';
import { formatBytes } from '../../../lib/bytes.ts';
import { defineCommand } from '../../define-command.ts';
import { renderTable } from '../../render/table.ts';

interface Args {
  dryRun: boolean;
  yes: boolean;
}

export const backupsPruneCommand = defineCommand<Args, PruneReport & { dry_run: boolean }>({
  usage: 'backups prune',
  summary: 'Remove what the retention lets go, and say why each stays or goes',
  options: (yargs) =>
    yargs
      .option('dry-run', {
        type: 'boolean',
        alias: 'n',
        default: false,
        describe: 'Print the plan and remove nothing',
      })
      .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Do not ask' }),
  async run(context, { dryRun, yes }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const plan = await app.run(pruneJob, instance, { dryRun: true }, context);
    const doomed = plan.decisions.filter(({ keep }) => !keep);
    if (dryRun || doomed.length === 0) return { ...plan, dry_run: dryRun };
    const question = `Remove ${doomed.length} of ${plan.decisions.length} backups of ${instance.name}?`;
    if (!yes && !(await context.confirm(question))) return { ...plan, dry_run: true };
    return { ...(await app.run(pruneJob, instance, { dryRun: false }, context)), dry_run: false };
  },
  render({ decisions, removed, freed_bytes, dry_run }, { style }) {
    if (decisions.length === 0) return 'There is no backup to prune';
    const table = renderTable(
      [
        { title: 'ID' },
        { title: 'OF' },
        { title: '' },
        { title: 'STORED', align: 'right' },
        { title: 'WHY' },
      ],
      decisions.map(({ id, kind, keep, reason, bytes }) => [
        id,
        kind,
        keep ? { text: 'keep', paint: style.good } : { text: 'remove', paint: style.warning },
        formatBytes(bytes),
        reason,
      ]),
    );
    return dry_run
      ? `${table}\nnothing was removed`
      : `${table}\n${removed.length} removed, ${formatBytes(freed_bytes)} freed`;
  },
});
