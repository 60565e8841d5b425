import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import {
  compareRuns,
  readConnectionReport,
  type ConnectionReport,
  type StepChange,
} from '../../../redis/trial/report.ts';
import { watchConnection, type WatchedConnection } from '../../../app/connection/watch-connection.ts';
import { testRest } from '../../../app/connection/rest.ts';
import { testConnection } from '../../../redis/trial/test-connection.ts';
import { intoTarget, type IntoOptions } from '../../../app/into-target.ts';
import { readSecret } from '../../../config/secrets.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import { parseDuration } from '../../../lib/time/duration.ts';
import type { RedisTarget } from '../../../redis/connection/target.ts';
import type { CommandContext } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';

/** Options of `check --connection`. */
export interface ConnectionArgs extends Omit<IntoOptions, 'into'> {
  /** A URL, env:NAME, file:PATH or an instance; empty: the instance of the configuration. */
  connection: string;
  baseline?: string | undefined;
  rounds: number;
  tokenFile?: string | undefined;
  watch?: string | undefined;
}

export type ComparedReport = ConnectionReport & {
  baseline: { at: string; changes: StepChange[] } | null;
  /** Only with --watch. */
  watched?: WatchedConnection;
};

const defaultRounds = 50;

export function connectionOptions(yargs: Argv): Argv {
  const words = {
    baseline: text('Compare with an earlier result, a file that --json has written'),
    rounds: {
      type: 'number' as const,
      requiresArg: true,
      describe: `How often each step is timed (${defaultRounds})`,
    },
    watch: {
      type: 'string' as const,
      describe: 'Time PING again and again for so long (1m when left out), and print a histogram',
    },
    'token-file': text('File with the REST token, for an https:// URL (Upstash)'),
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
  const span = args.watch === undefined ? undefined : parseWatch(args);
  const report = await testOf(context, args, rounds);
  const baseline = before === undefined ? null : { at: before.at, changes: compareRuns(before, report) };
  const works = report.steps[0]?.verdict === 'ok';
  const watched =
    span === undefined || !works
      ? {}
      : { watched: await watchConnection((await targetOf(context, args)).target, span, context) };
  return { ...report, baseline, ...watched };
}

const usualWatch = 60_000;

function parseWatch({ watch = '', connection }: ConnectionArgs): number {
  const span = watch === '' ? usualWatch : parseDuration(watch);
  if (/^https?:/i.test(connection))
    throw new AgentError('usage', '--watch is not for REST, where each command is billed');
  if (span !== undefined && span > 0) return span;
  throw new AgentError('usage', `--watch ${JSON.stringify(watch.slice(0, 40))} is not a length of time`, {
    hint: 'write 30s, 5m or 1h',
  });
}

/** Commands of one round cost: where each is billed, a handful tell enough. */
const restRounds = 5;

async function testOf(
  context: CommandContext,
  args: ConnectionArgs,
  rounds: number,
): Promise<ConnectionReport> {
  const { connection, tokenFile } = args;
  if (!/^https?:\/\//i.test(connection)) {
    if (tokenFile !== undefined)
      throw new AgentError('usage', '--token-file belongs to an https:// URL', {
        hint: 'a redis:// or rediss:// URL takes --password-file',
      });
    const { target, database } = await targetOf(context, args);
    return testConnection(target, { rounds, valueBytes: 100, database }, context);
  }
  const url = restUrl(connection);
  if (tokenFile === undefined)
    throw new AgentError('usage', 'a REST URL needs its token', {
      hint: 'write it to a file that only you may read, and give --token-file FILE',
    });
  const token = readSecret({ file: resolve(tokenFile) }, { env: context.env, what: '--token-file' });
  return testRest({ url, token }, { rounds: args.rounds ?? restRounds, valueBytes: 100 }, context);
}

/** Without TLS only on this host: the token would be read on the way. */
function restUrl(connection: string): string {
  let url: URL;
  try {
    url = new URL(connection);
  } catch {
    throw new AgentError('usage', '--connection is no URL');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '')
    throw new AgentError(
      'usage',
      '--connection holds a user, password or token, which every user of this host can see',
      {
        hint: 'give the token by --token-file',
      },
    );
  if (url.protocol === 'http:' && !/^(?:127\.|localhost$|\[::1\]$)/.test(url.hostname))
    throw new AgentError('usage', 'http:// would send the token in the clear', { hint: 'write https://' });
  return connection;
}

function text(describe: string): { type: 'string'; requiresArg: true; describe: string } {
  return { type: 'string', requiresArg: true, describe };
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
  const target = intoTarget(
    {
      into: url,
      flag: '--connection',
      username,
      passwordFile,
      passwordEnv,
      caFile,
      certFile,
      keyFile,
      serverName,
    },
    {
      env: context.env,
      instance: (name) => {
        if (app !== undefined) return app.instance(name);
        throw new AgentError('usage', `${JSON.stringify(name)} is no URL of a server`);
      },
    },
  );
  return { target, database: database === undefined || database === '0' ? undefined : Number(database) };
}

function readBaseline(path: string): ConnectionReport {
  const wrong = (why: string): AgentError =>
    new AgentError('usage', `cannot use the baseline ${path}: ${why}`, {
      hint: 'write one with: redis-agent check --connection URL --json > FILE',
    });
  try {
    return readConnectionReport(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw wrong(error instanceof SyntaxError ? 'it is not JSON' : messageOf(error));
  }
}

/** 4: nothing was reached; 1: a step failed; 3: slower than the baseline. */
export function connectionExitCode({ steps, baseline }: ComparedReport): number {
  if (steps[0]?.verdict === 'failed') return exitCodes.redis;
  if (steps.some(({ verdict }) => verdict === 'failed')) return exitCodes.failed;
  return baseline?.changes.some(({ verdict }) => verdict === 'worse') === true
    ? exitCodes.findings
    : exitCodes.ok;
}
