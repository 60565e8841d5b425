import { planHardenJob } from '../../../jobs/harden/harden-job.ts';
import type { HardenPlan } from '../../../harden/changes.ts';
import { writeOut } from '../../write-out.ts';
import { defineCommand } from '../../define-command.ts';
import { adminOf, adminOptions, namedFiles, type AdminArgs } from '../../harden/admin.ts';
import { renderHardenPlan } from '../../render/harden-plan.ts';
import { renderJson } from '../../render/json.ts';

interface Args extends AdminArgs {
  policy: string | undefined;
  out: string | undefined;
}

export const hardenPlanCommand = defineCommand<Args, { plan: HardenPlan; out: string | undefined }>({
  usage: 'harden plan',
  summary: 'What the policy, the file and the run time differ in, and what would be done about it',
  unit: () => 'apply',
  sharesRoot: () => 'apply',
  lends: namedFiles,
  writes: ({ out }) => out,
  options: (yargs) =>
    adminOptions(yargs)
      .option('policy', {
        type: 'string',
        requiresArg: true,
        describe: 'cache, queue, session, durable, or a file; the instance’s own or its role’s when left out',
      })
      .option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'Write it to plan.json, for harden apply --plan, or as plan.diff, for people and patch',
      }),
  examples: [
    ['$0 harden plan', 'what would be changed, and why'],
    ['$0 harden plan --out plan.diff', 'to attach to a change request'],
  ],
  async run(context, { policy, out, ...login }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const admin = adminOf(app, login, context.env);
    const plan = await app.run(planHardenJob, instance, { policy, admin }, context);
    if (out !== undefined) await writeOut(out, planText(plan, out));
    return { plan, out };
  },
  render: ({ plan, out }, { style, width }) =>
    out === undefined ? renderHardenPlan(plan, style, width) : `written to ${out}`,
  document: ({ plan }) => plan,
});

function planText(plan: HardenPlan, path: string): string {
  if (!path.endsWith('.diff') && !path.endsWith('.patch')) return `${renderJson(plan, 2)}\n`;
  return plan.files.map(({ diff }) => `${diff}\n`).join('');
}
