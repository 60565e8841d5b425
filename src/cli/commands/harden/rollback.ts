import { rollbackHardenJob } from '../../../jobs/harden/rollback-job.ts';
import type { RollbackReport } from '../../../jobs/harden/rollback-harden.ts';
import { defineCommand } from '../../define-command.ts';
import { adminOf, adminOptions, namedFiles, recoverChange, type AdminArgs } from '../../harden/admin.ts';
import { renderRolledBack } from '../../render/harden-report.ts';
import { createStyle } from '../../render/style.ts';

interface Args extends AdminArgs {
  id: string | undefined;
  yes: boolean;
  dryRun: boolean;
  restart: boolean;
}

export const hardenRollbackCommand = defineCommand<Args, RollbackReport>({
  usage: 'harden rollback [id]',
  summary: 'Put files, byte for byte, and values back as they were before a change',
  unit: () => 'apply',
  sharesRoot: () => 'apply',
  lends: namedFiles,
  recover: recoverChange,
  options: (yargs) =>
    adminOptions(yargs)
      .positional('id', { type: 'string', describe: 'Which; the last one when left out' })
      .option('dry-run', { type: 'boolean', alias: 'n', default: false, describe: 'Only say what would be' })
      .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Do not ask' })
      .option('restart', {
        type: 'boolean',
        default: false,
        describe: 'Restart the server where a change counts from its next start only',
      }),
  examples: [['$0 harden rollback', 'the last change; asks first']],
  async run(context, { id, yes, dryRun, restart, ...login }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const options = { id, admin: adminOf(app, login, context.env), restart };
    let { id: agreed } = options;
    if (dryRun || !yes) {
      const plan = await app.run(rollbackHardenJob, instance, { ...options, dryRun: true }, context);
      if (dryRun) return plan;
      if (!context.globals.json) context.show(renderRolledBack(plan, createStyle(false), 100));
      if (!(await context.confirm(`Take this back at ${instance.name}?`))) return plan;
      agreed = plan.undone;
    }
    return await app.run(rollbackHardenJob, instance, { ...options, id: agreed, dryRun: false }, context);
  },
  render: (report, { style, width }) => renderRolledBack(report, style, width),
});
