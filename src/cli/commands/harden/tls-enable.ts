import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { AgentError, systemCode } from '../../../domain/errors.ts';
import { isDone, type HardenPlan } from '../../../harden/changes.ts';
import { tlsPolicy } from '../../../harden/policy/tls-policy.ts';
import { applyHardenJob } from '../../../jobs/harden/apply-job.ts';
import type { ApplyReport } from '../../../jobs/harden/apply-harden.ts';
import { planHardenJob } from '../../../jobs/harden/harden-job.ts';
import { describeReadFailure } from '../../../lib/files/file-owner.ts';
import { defineCommand } from '../../define-command.ts';
import { adminOf, adminOptions, namedFiles, recoverChange, type AdminArgs } from '../../harden/admin.ts';
import { renderHardenPlan } from '../../render/harden-plan.ts';
import { renderApplied } from '../../render/harden-report.ts';
import { createStyle } from '../../render/style.ts';

interface Args extends AdminArgs {
  cert: string;
  key: string;
  ca: string;
  port: number;
  clients: 'yes' | 'no' | 'optional';
  closePlain: boolean;
  clientsMoved: boolean;
  dryRun: boolean;
  yes: boolean;
  restart: boolean;
}

export const hardenTlsEnableCommand = defineCommand<Args, ApplyReport | { plan: HardenPlan }>({
  usage: 'harden tls enable',
  summary: 'TLS beside the plain port; when every client has moved, --close-plain',
  sharesRoot: () => 'apply',
  lends: namedFiles,
  recover: recoverChange,
  options: (yargs) =>
    adminOptions(yargs)
      .option('cert', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'Certificate (PEM)',
      })
      .option('key', { type: 'string', requiresArg: true, demandOption: true, describe: 'Its key (PEM)' })
      .option('ca', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'Certificate of the authority (PEM)',
      })
      .option('port', {
        type: 'number',
        requiresArg: true,
        default: 6380,
        describe: 'Where it listens for TLS',
      })
      .option('clients', {
        requiresArg: true,
        choices: ['yes', 'no', 'optional'] as const,
        default: 'optional' as const,
        describe: 'Whether clients need a certificate',
      })
      .option('close-plain', { type: 'boolean', default: false, describe: 'Close the plain port' })
      .option('clients-moved', {
        type: 'boolean',
        default: false,
        describe: 'Close it where nobody can see which clients still come by it',
      })
      .option('dry-run', { type: 'boolean', alias: 'n', default: false, describe: 'Only show the plan' })
      .option('yes', { type: 'boolean', alias: 'y', default: false, describe: 'Do not ask' })
      .option('restart', {
        type: 'boolean',
        default: false,
        describe: 'Restart it where it must be (before 7.0)',
      }),
  examples: [
    ['$0 harden tls enable --cert server.pem --key server.key --ca ca.pem', 'beside the plain port'],
    [
      '$0 harden tls enable --cert … --key … --ca … --close-plain',
      'when the agent and all clients have moved',
    ],
  ],
  async run(
    context,
    { cert, key, ca, port, clients, closePlain, clientsMoved, dryRun, yes, restart, ...login },
  ) {
    if (clientsMoved && !closePlain)
      throw new AgentError('usage', '--clients-moved is about --close-plain', {
        hint: 'see: redis-agent harden tls enable --help',
      });
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const admin = adminOf(app, login, context.env);
    const given = tlsPolicy({
      cert: whole(cert),
      key: whole(key),
      ca: whole(ca),
      port,
      clients,
      closePlain,
      clientsMoved,
    });
    const plan = await app.run(planHardenJob, instance, { policy: undefined, given, admin }, context);
    if (plan.unknown.includes('tls-port'))
      throw new AgentError('refused', `${instance.name} was built without TLS`, {
        reason: 'tls',
        hint: 'install a build with it: those of Debian and Ubuntu have it',
      });
    if (dryRun) return { plan };
    if (!isDone(plan, restart)) {
      if (!context.globals.json) context.show(renderHardenPlan(plan, createStyle(false), 100));
      if (!yes && !(await context.confirm(`Apply this to ${instance.name}?`))) return { plan };
    }
    const options = { policy: undefined, given, admin, agreed: plan, restart, allow: [] };
    return await app.run(applyHardenJob, instance, options, context);
  },
  render: (result, { style, width }) =>
    'outcome' in result ? renderApplied(result, style, width) : renderHardenPlan(result.plan, style, width),
  document: (result) => ('outcome' in result ? result : result.plan),
});

/** As the server will open it. */
function whole(path: string): string {
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    // Whose folder we may not enter, the server may: it is tried there.
    if (systemCode(error) !== 'EACCES')
      throw new AgentError('usage', `cannot find ${path}: ${describeReadFailure(path, error)}`, {
        cause: error,
      });
    real = resolve(path);
  }
  if (/^[\x21-\x7e]+$/.test(real) && !/["'\\#]/.test(real)) return real;
  throw new AgentError('usage', `${path}: a path with blanks or quotes does not go into redis.conf`, {
    hint: 'put it somewhere plain, /etc/redis/tls/server.pem',
  });
}
