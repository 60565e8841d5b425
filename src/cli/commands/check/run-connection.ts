import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { compareRuns, type ConnectionReport, type StepChange } from '../../../app/connection/report.ts';
import { testConnection } from '../../../app/connection/test-connection.ts';
import { intoTarget, type IntoOptions } from '../../../app/into-target.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import type { RedisTarget } from '../../../redis/target.ts';
import type { CommandContext } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { inFlags } from '../restore/in-flags.ts';

/** Options of `check --connection`. */
export interface ConnectionArgs extends Omit<IntoOptions, 'into'> {
  /** A URL, env:NAME, file:PATH or an instance; empty: the instance of the configuration. */
  connection: string;
  baseline?: string | undefined;
  rounds: number;
}

export type ComparedReport = ConnectionReport & { baseline: { at: string; changes: StepChange[] } | null };

const defaultRounds = 50;

export function connectionOptions(yargs: Argv): Argv {
  const words = {
    baseline: text('Compare with an earlier result, a file that --json has written'),
    rounds: {
      type: 'number' as const,
      requiresArg: true,
      describe: `How often each step is timed (${defaultRounds})`,
    },
    username: text('User of that server'),
    'password-file': text('File with that user’s password'),
    'password-env': text('Environment variable with that password'),
    'ca-file': text('Certificate (PEM) of the authority that the server’s is signed by'),
    'cert-file': text('Client certificate (PEM)'),
    'key-file': text('Its key (PEM)'),
    'server-name': text('Name in the server’s certificate, where it is not the one in the URL'),
  };
  return yargs
    .option('connection', {
      type: 'string',
      describe:
        'Test and time the connection alone: a URL, env:NAME, file:PATH or an instance; needs no configuration',
    })
    .options(words)
    .implies(Object.fromEntries(Object.keys(words).map((name) => [name, 'connection'])))
    .conflicts('password-file', 'password-env')
    .group(['connection', ...Object.keys(words)], 'The connection alone:');
}

export async function runConnection(context: CommandContext, args: ConnectionArgs): Promise<ComparedReport> {
  const rounds = args.rounds ?? defaultRounds;
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100_000)
    throw new AgentError('usage', '--rounds takes a whole number from 1 to 100000');
  const before = args.baseline === undefined ? undefined : readBaseline(args.baseline);
  const { target, database } = await targetOf(context, args);
  const report = await testConnection(target, { rounds, valueBytes: 100, database }, context);
  const baseline = before === undefined ? null : { at: before.at, changes: compareRuns(before, report) };
  return { ...report, steps: await inWords(args, report), baseline };
}

function text(describe: string): { type: 'string'; requiresArg: true; describe: string } {
  return { type: 'string', requiresArg: true, describe };
}

/** Problems that speak of flags, where the server was named by a URL. */
async function inWords(
  args: ConnectionArgs,
  { steps }: ConnectionReport,
): Promise<ConnectionReport['steps']> {
  return await Promise.all(
    steps.map(async (step) => {
      if (step.problem === null) return step;
      const said = new AgentError('redis', step.problem, step.hint === null ? {} : { hint: step.hint });
      const told: unknown = await inFlags({ into: args.connection }, Promise.reject(said)).catch(
        (error: unknown) => error,
      );
      const hint = told instanceof AgentError ? told.hint : undefined;
      return { ...step, problem: ours(messageOf(told)), hint: hint === undefined ? step.hint : ours(hint) };
    }),
  );
}

async function targetOf(
  context: CommandContext,
  args: ConnectionArgs,
): Promise<{ target: RedisTarget; database: number | undefined }> {
  const { connection, username, passwordFile, passwordEnv, caFile, certFile, keyFile, serverName } = args;
  const byUrl = /^(?:env|file):|:\/\//.test(connection);
  const app = byUrl ? undefined : await context.app();
  const into = connection === '' ? (app?.instance(context.globals.instance).name ?? '') : connection;
  const [, url = into, database] = /^(rediss?:\/\/[^/]*)\/(\d{1,9})$/i.exec(into) ?? [];
  try {
    const target = intoTarget(
      { into: url, username, passwordFile, passwordEnv, caFile, certFile, keyFile, serverName },
      {
        env: context.env,
        instance: (name) => {
          if (app !== undefined) return app.instance(name);
          throw new AgentError('usage', `${JSON.stringify(name)} is no URL of a server`);
        },
      },
    );
    return { target, database: database === undefined || database === '0' ? undefined : Number(database) };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const { code, message, hint, reason } = error;
    throw new AgentError(code, ours(message), {
      ...(hint === undefined ? {} : { hint: ours(hint) }),
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

function ours(said: string): string {
  return said.replaceAll('--into', '--connection');
}

function readBaseline(path: string): ConnectionReport {
  const wrong = (why: string): AgentError =>
    new AgentError('usage', `cannot use the baseline ${path}: ${why}`, {
      hint: 'write one with: redis-agent check --connection URL --json > FILE',
    });
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw wrong(error instanceof SyntaxError ? 'it is not JSON' : messageOf(error));
  }
  if (!isReport(data)) throw wrong('it is no result of this command');
  return data;
}

function isReport(data: unknown): data is ConnectionReport {
  if (typeof data !== 'object' || data === null || !('schema' in data) || !('steps' in data)) return false;
  return (
    data.schema === 1 &&
    Array.isArray(data.steps) &&
    data.steps.every(
      (step: unknown) =>
        typeof step === 'object' &&
        step !== null &&
        'name' in step &&
        'latency' in step &&
        (step.latency === null || Number.isFinite(Reflect.get(Object(step.latency), 'p50'))),
    )
  );
}

/** 4: nothing was reached; 1: a step failed; 3: slower than the baseline. */
export function connectionExitCode({ steps, baseline }: ComparedReport): number {
  if (steps[0]?.verdict === 'failed') return exitCodes.redis;
  if (steps.some(({ verdict }) => verdict === 'failed')) return exitCodes.failed;
  return baseline?.changes.some(({ verdict }) => verdict === 'worse') === true
    ? exitCodes.findings
    : exitCodes.ok;
}
