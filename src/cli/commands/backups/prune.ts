import { pruneJob, type PruneReport } from '../../../jobs/backup/prune.ts';
import { expireVersionsJob, type ExpireReport } from '../../../jobs/backup/expire-versions.ts';
import type { App } from '../../../app/build-app.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { defineCommand, type CommandContext } from '../../define-command.ts';
import { renderTable } from '../../render/table.ts';
import { counted } from '../../../lib/text/counted.ts';

interface Args {
  dryRun: boolean;
  yes: boolean;
  oldVersions: boolean;
}

export const backupsPruneCommand = defineCommand<Args, (PruneReport & { dry_run: boolean }) | ExpireReport>({
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
      .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Do not ask' })
      .option('old-versions', {
        type: 'boolean',
        default: false,
        describe: 'Remove for good what a bucket with versions keeps of backups that are gone',
      }),
  async run(context, { dryRun, yes, oldVersions }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    if (oldVersions) return await expireVersions(context, app, instance, { dryRun, yes });
    const plan = await app.run(pruneJob, instance, { dryRun: true }, context);
    const doomed = plan.decisions.filter(({ keep }) => !keep);
    if (dryRun || doomed.length === 0) return { ...plan, dry_run: dryRun };
    const question = `Remove ${doomed.length} of ${counted(plan.decisions.length, 'backup')} of ${instance.name}?`;
    if (!yes && !(await context.confirm(question))) return { ...plan, dry_run: true };
    return { ...(await app.run(pruneJob, instance, { dryRun: false }, context)), dry_run: false };
  },
  render(report, { style }) {
    if ('expired' in report) return renderExpired(report);
    const { decisions, removed, freed_bytes, dry_run } = report;
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

async function expireVersions(
  context: CommandContext,
  app: App,
  instance: InstanceSettings,
  { dryRun, yes }: { dryRun: boolean; yes: boolean },
): Promise<ExpireReport> {
  const plan = await app.run(expireVersionsJob, instance, { dryRun: true }, context);
  if (dryRun || plan.backups.length === 0) return plan;
  const bytes = plan.backups.reduce((sum, each) => sum + each.bytes, 0);
  const question = `Remove for good what is kept of ${plan.backups.length} removed backups of ${instance.name} (${formatBytes(bytes)})?`;
  if (!yes && !(await context.confirm(question))) return plan;
  return await app.run(expireVersionsJob, instance, { dryRun: false }, context);
}

function renderExpired({ backups, expired, freed_bytes: freed, dry_run: dry, kept }: ExpireReport): string {
  if (backups.length === 0) return 'nothing is kept of backups that were removed';
  const table = renderTable(
    [{ title: 'REMOVED BACKUP' }, { title: 'VERSIONS', align: 'right' }, { title: 'BYTES', align: 'right' }],
    backups.map(({ id, versions, bytes }) => [id, String(versions), formatBytes(bytes)]),
  );
  const [first] = kept;
  const said = first === undefined ? '' : `\n${kept.length} could not be removed: ${first.why}`;
  return dry
    ? `${table}\nnothing was removed`
    : `${table}\n${counted(expired, 'version')} removed, ${formatBytes(freed)} freed${said}`;
}
