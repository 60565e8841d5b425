import type { Clock } from '../../domain/clock.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/progress.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { shellWord } from '../../lib/process/shell-word.ts';
import type { RedisConnection, Reply } from '../../redis/connection/connect.ts';
import type { App } from '../build-app.ts';

/** The emergencies that there is a runbook for. */
export const runbookTopics = [
  'down',
  'memory',
  'slow',
  'queue',
  'connections',
  'full-disk',
  'locked-out',
  'compromised',
] as const;
export type RunbookTopic = (typeof runbookTopics)[number];

/** One thing that was seen. */
export interface Sight {
  /** `cause`: this is it, or part of it; `note` helps to judge; `unknown` could not be seen, for want of what it says. */
  state: 'cause' | 'fine' | 'note' | 'unknown';
  text: string;
}

/** What to do next. Nothing of it was done. */
export interface NextStep {
  why: string;
  /** As typed in a shell. */
  command: string;
  /** `changes` something; `loses` data or connections. */
  effect: 'looks' | 'changes' | 'loses';
}

export interface RunbookReport {
  topic: RunbookTopic;
  instance: string;
  /** ISO 8601. */
  at: string;
  /** Is it what is wrong? */
  applies: boolean;
  found: Sight[];
  /** The first is the next one. */
  steps: NextStep[];
}

/** What a runbook looks with. Read only. */
export interface RunbookContext {
  app: App;
  instance: InstanceSettings;
  clock: Clock;
  signal: AbortSignal;
  progress: Progress;
  /** Undefined: it could not be connected to, and `failure` says why. */
  connection: RedisConnection | undefined;
  failure: AgentError | undefined;
  /** Empty where INFO could not be had. */
  info: Info;
  /** How long it took to answer, milliseconds. */
  roundTrip: number | undefined;
}

export type Runbook = (
  context: RunbookContext,
) => Promise<Pick<RunbookReport, 'applies' | 'found' | 'steps'>>;

/** A reply, or undefined where the right or the command is missing; said so among what was found. */
export async function tryAsk(
  { connection, instance }: RunbookContext,
  found: Sight[],
  right: string,
  command: string,
  ...args: string[]
): Promise<Reply | undefined> {
  if (connection === undefined) return undefined;
  try {
    return await connection.call(command, ...args);
  } catch {
    found.push({
      state: 'unknown',
      text: `${command} ${args[0] ?? ''} was refused: ACL SETUSER ${instance.username ?? 'default'} +${right}`.replace(
        / +:/,
        ':',
      ),
    });
    return undefined;
  }
}

/** How redis-cli reaches this server, in commands that are offered: as an administrator, who is asked for the password. */
export function cli({ url, tls }: Pick<InstanceSettings, 'url' | 'tls'>): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  if (protocol === 'unix:') return `redis-cli -s ${shellWord(decodeURIComponent(pathname))}`;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const where = [
    ...(host === '127.0.0.1' || host === 'localhost' ? [] : ['-h', host]),
    ...(port === '' || port === '6379' ? [] : ['-p', port]),
  ];
  const files = [
    ['--cacert', tls?.ca],
    ['--cert', tls?.cert],
    ['--key', tls?.key],
    ['--sni', tls?.server_name],
  ].flatMap(([option = '', value]) => (value === undefined ? [] : [option, value]));
  const words = [...where, ...(protocol === 'rediss:' ? ['--tls', ...files] : [])];
  return ['redis-cli', ...words.map(shellWord)].join(' ');
}

/** A command of redis-cli by the name that the server knows it by (`renamed:` of the instance). */
export function asRenamed(
  instance: Pick<InstanceSettings, 'url' | 'tls' | 'renamed'>,
  command: string,
): string {
  const start = `${cli(instance)} `;
  if (!command.startsWith(start)) return command;
  const [word = '', ...rest] = command.slice(start.length).split(' ');
  return `${start}${[instance.renamed?.[word] ?? word, ...rest].join(' ')}`;
}
