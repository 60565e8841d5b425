import type { DrillOutcome, DrillRecord } from '../../domain/drill.ts';
import { AgentError } from '../../domain/errors.ts';
import { drillJob } from '../../jobs/drill/drill-job.ts';
import { drillGuardFlags, type DrillInsistence } from '../../jobs/drill/guards.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { renderDrill } from '../render/drill.ts';

interface Args {
  id: string;
  /** `allow-low-memory` and the others. */
  [allow: string]: unknown;
}

interface Drilled extends DrillRecord {
  instance: string;
}

export const drillCommand = defineCommand<Args, Drilled>({
  usage: 'drill [id]',
  summary: 'Rehearse a restore in a scratch server: does it hold, and how long does it take?',
  options(yargs) {
    let result = yargs.positional('id', {
      type: 'string',
      default: 'latest',
      describe: 'A backup id, or latest',
    });
    for (const [name, describe] of Object.entries(drillGuardFlags))
      result = result.option(`allow-${name}`, { type: 'boolean', default: false, describe });
    return result;
  },
  examples: [
    ['$0 drill', 'the newest backup: fetched, decoded, loaded, compared value by value'],
    ['$0 drill 20261121T060000Z-7f3a --json', 'that one; every figure'],
  ],
  async run(context, args) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const guards: DrillInsistence[] = ['low-memory'];
    const allow = guards.filter((name) => args[`allow-${name}`] === true);
    const outcome = await app.run(drillJob, instance, { which: args.id, allow }, context);
    if (outcome.outcome === 'skipped') throw refusal(outcome);
    return { instance: instance.name, ...outcome.record };
  },
  render: (drilled, { style }) => renderDrill(drilled, style),
  exitCode: ({ ok }) => (ok ? exitCodes.ok : exitCodes.damaged),
});

/** What the daemon notes as skipped is a refusal to whoever asked for it. */
function refusal({ reason, why, instead }: Extract<DrillOutcome, { outcome: 'skipped' }>): AgentError {
  const insist = reason in drillGuardFlags ? `; or insist with --allow-${reason}` : '';
  return new AgentError('refused', `no restore can be rehearsed here: ${why}`, {
    reason,
    hint: `${instead}${insist}`,
  });
}
