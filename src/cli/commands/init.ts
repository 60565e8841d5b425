import { existsSync } from 'node:fs';
import { giveRights, type RightsReport } from '../../app/init/give-rights.ts';
import { initialise } from '../../app/init/init.ts';
import type { InitReport } from '../../app/init/report.ts';
import { configPath } from '../../config/load.ts';
import { AgentError } from '../../domain/errors.ts';
import { shellWord } from '../../lib/process/shell-word.ts';
import { defineCommand, type CommandContext } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { writeUnits, type UnitsReport } from '../../app/init/units.ts';
import { renderUnits } from '../render/units.ts';
import { adminOf } from '../harden/admin.ts';
import { firstPass, type FirstStep } from '../init/first-pass.ts';
import { installOptions } from '../init/install-options.ts';
import { initOptionsOf, type InitArgs } from '../init/options.ts';
import { renderInit, type InitResult } from '../render/init-result.ts';
import { renderRights } from '../render/rights.ts';

export const initCommand = defineCommand<InitArgs, InitResult | RightsReport[] | UnitsReport>({
  usage: 'init',
  summary: 'Find the servers of this host, make the agent’s own user there, write a first configuration',
  options: initOptionsOf,
  examples: [
    ['redis-agent init', 'Every server on this host'],
    ['redis-agent init --dry-run', 'Only say what it would do'],
    [
      'redis-agent init --yes --alerts-to ops@example.org',
      'Without a question, to a first backup and a daemon that runs',
    ],
    ['redis-agent init --url rediss://cache.internal:6380 --tls-ca ca.pem', 'A server elsewhere'],
    ['redis-agent init --password-file admin.txt', 'Where the server asks for a password'],
    ['redis-agent init --rights', 'Give the agent’s user what it lacks, after an upgrade for example'],
    ['redis-agent init --units', 'Let members of the group redis-agent-admin restore without sudo'],
  ],
  async run(context, args) {
    if (args.rights && args.units)
      throw new AgentError('usage', '--rights and --units are two things: one after the other');
    if (args.rights) return await rightsOf(context, args);
    if (args.units) {
      requireNothingElse(args, '--units');
      return await writeUnits(await context.app(), { dryRun: args.dryRun, signal: context.signal });
    }
    const report = await initialise(await installOptions(context, args));
    const steps = await goOn(context, args, report);
    return { ...report, steps, next: nextSteps(report, steps, context) };
  },
  render(result, { style, width }) {
    if (Array.isArray(result)) return renderRights(result, style, width);
    return 'outcome' in result ? renderUnits(result, style, width) : renderInit(result, style, width);
  },
  exitCode: (result) =>
    Array.isArray(result) && result.some(({ outcome }) => outcome === 'by-hand')
      ? exitCodes.findings
      : 'steps' in result && result.steps?.some(({ ok }) => !ok) === true
        ? exitCodes.failed
        : exitCodes.ok,
  // As the configuration of a first installation is written; files of users are the server’s own.
  keepsRoot: ({ rights, units }) => rights || units,
});

/** Options of a first installation. */
function requireNothingElse(args: InitArgs, mode: string): void {
  for (const [option, given] of [
    ['--url', args.url],
    ['--repository', args.repository],
    ['--force', args.force || undefined],
    ['--yes', args.yes || undefined],
    ['--role', args.role],
    ['--alerts-to', args.alertsTo],
    ['--alerts-hook', args.alertsHook],
    ['--tls-ca', args.tlsCa],
    ['--tls-cert', args.tlsCert],
  ] as const)
    if (given !== undefined)
      throw new AgentError('usage', `${option} does not go with ${mode}`, {
        hint: 'servers, users and TLS are those of the configuration; --instance NAME picks one',
      });
}

/** Nothing is found or written: the servers and users are those of the configuration. */
async function rightsOf(context: CommandContext, args: InitArgs): Promise<RightsReport[]> {
  requireNothingElse(args, '--rights');
  const app = await context.app();
  const admin = args.acl ? adminOf(app, args, context.env) : undefined;
  const reports: RightsReport[] = [];
  for (const instance of app.instances(context.globals.instance)) {
    context.progress.report({ phase: `looking at ${instance.name}` });
    const dryRun = args.dryRun || !args.acl;
    reports.push(await giveRights(app, instance, { admin, dryRun, signal: context.signal }));
  }
  return reports;
}

/** To a first backup and a daemon that runs, where somebody wants that and nothing is to be done by hand before it. */
async function goOn(
  context: CommandContext,
  { yes, dryRun }: InitArgs,
  report: InitReport,
): Promise<FirstStep[] | null> {
  if (dryRun || report.instances.some(({ user }) => user.outcome === 'by-hand')) return null;
  const wanted = async (question: string): Promise<boolean> => {
    const answer = yes ? '' : await context.question(`${question} [Y/n] `);
    return answer !== undefined && !/^n/i.test(answer);
  };
  if (!(await wanted('Check it, take a first backup and see how safe it is, now?'))) return null;
  const start = isInstalled(report, context) && (await wanted('And start the daemon, now and at each boot?'));
  return await firstPass(report, { context, command: commandFor(report, context), start });
}

/** As the daemon's unit finds it. */
function isInstalled({ config }: InitReport, { env }: CommandContext): boolean {
  return (
    configPath(undefined, env) === config &&
    ['/etc', '/usr/lib', '/lib'].some((folder) => existsSync(`${folder}/systemd/system/redis-agent.service`))
  );
}

/** What to type for the agent with this configuration. */
function commandFor({ config }: InitReport, { env }: CommandContext): string {
  return configPath(undefined, env) === config ? 'redis-agent' : `redis-agent --config ${shellWord(config)}`;
}

function nextSteps(report: InitReport, steps: FirstStep[] | null, context: CommandContext): string[] {
  const command = commandFor(report, context);
  const start = isInstalled(report, context) ? 'systemctl enable --now redis-agent' : `${command} run`;
  if (steps === null) return [`${command} check`, `${command} backup`, start];
  const failed = steps.filter(({ ok }) => !ok).map(({ words }) => words);
  if (steps.some(({ step, ok }) => step === 'daemon' && ok)) return [...failed, `${command} status`];
  return failed.includes(start) ? failed : [...failed, start];
}
