import { AgentError } from '../../../domain/errors.ts';
import { isDone, type HardenPlan } from '../../../harden/changes.ts';
import { applyHardenJob } from '../../../jobs/harden/apply-job.ts';
import type { ApplyReport } from '../../../jobs/harden/apply-harden.ts';
import { planHardenJob } from '../../../jobs/harden/harden-job.ts';
import { describeReadFailure } from '../../../lib/files/file-owner.ts';
import { readNamedFile } from '../../../lib/files/lent-file.ts';
import { defineCommand } from '../../define-command.ts';
import { adminOf, adminOptions, namedFiles, recoverChange, type AdminArgs } from '../../harden/admin.ts';
import { renderHardenPlan } from '../../render/harden-plan.ts';
import { renderApplied } from '../../render/harden-report.ts';
import { createStyle } from '../../render/style.ts';

interface Args extends AdminArgs {
  policy: string | undefined;
  plan: string | undefined;
  yes: boolean;
  restart: boolean;
  allowManagedFile: boolean;
}

const shownWidth = 100;

export const hardenApplyCommand = defineCommand<Args, ApplyReport | { declined: HardenPlan }>({
  usage: 'harden apply',
  summary: 'Bring a server and its files to the policy: tried first, all or nothing, and back where it fails',
  unit: () => 'apply',
  sharesRoot: () => 'apply',
  lends: namedFiles,
  recover: recoverChange,
  options: (yargs) =>
    adminOptions(yargs)
      .option('policy', {
        type: 'string',
        requiresArg: true,
        describe: 'cache, queue, session, durable, or a file; the instance’s own or its role’s when left out',
      })
      .option('plan', {
        type: 'string',
        requiresArg: true,
        describe: 'Do what this plan.json says, and nothing where anything has changed since',
      })
      .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Do not ask' })
      .option('restart', {
        type: 'boolean',
        default: false,
        describe: 'Restart the server where a change counts from its next start only',
      })
      .option('allow-managed-file', {
        type: 'boolean',
        default: false,
        describe: 'Also change a file that says that another tool writes it',
      })
      .conflicts('plan', 'policy'),
  examples: [
    ['$0 harden apply --password-file admin.txt', 'shows the plan, asks, does it'],
    ['$0 harden apply --plan plan.json --yes', 'what was agreed to, and nothing else'],
  ],
  async run(context, args) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const admin = adminOf(app, args, context.env);
    const agreed = args.plan === undefined ? undefined : readPlan(args.plan);
    const policy = agreed?.policy ?? args.policy;
    const allow = args.allowManagedFile ? ['managed-file'] : [];
    const options = { policy, admin, restart: args.restart, allow };
    // One that was cut off is ended by the run itself; before that nobody can say what there will be to do.
    const plan = agreed ?? (await app.run(planHardenJob, instance, { policy, admin }, context));
    const stopped = plan.obstacles.some(({ name }) => !allow.includes(name));
    if (!stopped && !isDone(plan, args.restart)) {
      if (!context.globals.json) context.show(renderHardenPlan(plan, createStyle(false), shownWidth));
      if (!args.yes && !(await context.confirm(`Apply this to ${instance.name}?`))) return { declined: plan };
    }
    return await app.run(applyHardenJob, instance, { ...options, agreed: plan }, context);
  },
  render: (result, { style, width }) =>
    'declined' in result ? 'nothing was changed' : renderApplied(result, style, width),
  document: (result) => ('declined' in result ? { outcome: 'declined', plan: result.declined } : result),
});

function readPlan(path: string): HardenPlan {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at below; a plan is made anew and compared
    const plan = JSON.parse(readNamedFile(path).toString('utf8')) as HardenPlan;
    const right =
      plan.schema === 1 &&
      typeof plan.fingerprint === 'string' &&
      typeof plan.policy === 'string' &&
      [plan.changes, plan.users, plan.refused, plan.obstacles, plan.files, plan.unknown].every(Array.isArray);
    if (right) return plan;
  } catch (error) {
    // Nothing of the file: somebody may have named that of a password.
    const why = error instanceof SyntaxError ? 'it is no JSON' : describeReadFailure(path, error);
    throw new AgentError('usage', `cannot read the plan ${path}: ${why}`, {
      hint: 'redis-agent harden plan --out plan.json writes one',
    });
  }
  throw new AgentError('usage', `${path} is no plan`, {
    hint: 'redis-agent harden plan --out plan.json writes one',
  });
}
