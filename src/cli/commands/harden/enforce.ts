import { enforceJob } from '../../../jobs/harden/drift-job.ts';
import type { EnforceReport } from '../../../jobs/harden/drift.ts';
import { printable } from '../../../lib/text/printable.ts';
import { defineCommand } from '../../define-command.ts';
import { adminOf, adminOptions, type AdminArgs } from '../../harden/admin.ts';

interface Enforced {
  enabled: boolean;
  instances: EnforceReport[];
}

export const hardenEnforceCommand = defineCommand<AdminArgs, Enforced>({
  usage: 'harden enforce',
  summary: 'Put run-time values back that somebody has changed since the last apply (harden.enforce: true)',
  options: adminOptions,
  examples: [['$0 harden enforce', 'what the unit redis-agent-enforce does']],
  async run(context, login) {
    const app = await context.app();
    if (!app.settings.harden.enforce) return { enabled: false, instances: [] };
    const admin = adminOf(app, login, context.env);
    const instances: EnforceReport[] = [];
    for (const instance of app.instances(context.globals.instance))
      instances.push(await app.run(enforceJob, instance, { admin }, context));
    return { enabled: true, instances };
  },
  render({ enabled, instances }) {
    if (!enabled) return 'harden.enforce is off: nothing is put back';
    return instances
      .map(({ instance, set, users, left }) => {
        const done =
          set.length + users.length === 0
            ? 'nothing to put back'
            : `put back: ${[...set.map(({ directive, to }) => `${directive} ${to}`), ...users.map((user) => `user ${printable(user)}`)].join(', ')}`;
        const rest =
          left.length === 0
            ? ''
            : `; left as they are: ${printable(left.join(', '))} (redis-agent harden plan)`;
        return `${instance}: ${done}${rest}`;
      })
      .join('\n');
  },
});
