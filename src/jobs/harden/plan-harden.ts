import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { readPolicy } from '../../harden/policy/read-policy.ts';
import type { Policy } from '../../harden/policy.ts';
import type { HardenPlan } from '../../harden/changes.ts';
import type { Job } from '../job.ts';
import { lookAround } from './host.ts';
import { preparePlan } from './plan.ts';
import { inspectServer, type Admin } from './inspect-server.ts';
import { counted } from '../../lib/text/counted.ts';

export interface PlanOptions {
  policy: string | undefined;
  /** Instead of one by its name. */
  given?: Policy | undefined;
  admin: Admin | undefined;
}

export const planHarden: Job<PlanOptions, HardenPlan>['run'] = async (context, options) => {
  const policy = options.given ?? (await policyFor(context.instance, options.policy));
  const inspected = await inspectServer(context, options.admin, filesOf(policy));
  try {
    const { plan } = preparePlan(context, inspected, policy, {
      acl: options.given === undefined ? context.settings.harden : undefined,
    });
    plan.host = await lookAround(context, inspected);
    return { value: plan, summary: summaryOf(plan), findings: [], evaluated: [] };
  } finally {
    inspected.connection.close();
  }
};

export function summaryOf({ instance, policy, changes, users, refused }: HardenPlan): string {
  const count = changes.length + users.length;
  return `${instance}: policy ${policy}, ${counted(count, 'change')}, ${refused.length} refused`;
}

/** What it would have read besides the server's files of now. */
export function filesOf({ wishes }: Policy): string[] {
  const path = wishes.find(({ name }) => name === 'aclfile')?.value[0];
  return path === undefined ? [] : [path];
}

/** What was asked for, else the instance’s own, else its role’s. */
export async function policyFor(
  { name, policy, role }: InstanceSettings,
  asked: string | undefined,
): Promise<Policy> {
  const wanted = asked ?? policy ?? role;
  if (wanted !== undefined) return await readPolicy(wanted);
  throw new AgentError('usage', `nothing says what ${name} is used for`, {
    reason: 'policy',
    hint: 'say --policy cache, queue, session or durable; or give the instance a role: in the configuration',
  });
}
