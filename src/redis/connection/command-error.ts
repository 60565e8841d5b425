import { AgentError, messageOf, type ReasonOf } from '../../domain/errors.ts';
import { subjectOf, wordsOf, type RedisTarget, type TargetWords } from './target.ts';

/**
 * What a reply or a broken connection means: `reason` of the AgentError, then the next step.
 * Matched against the server's words, which are the same from Redis 6.0 to 8 and Valkey 9, and ioredis's.
 */
const replyReasons: [RegExp, ReasonOf<'redis'>, string | ((words: TargetWords) => string)][] = [
  [
    /^WRONGPASS|invalid (username-)?password/,
    'wrongpass',
    ({ credentials }) => `check ${credentials}, and with ACL GETUSER that the user is on`,
  ],
  [/^NOAUTH/, 'noauth', ({ giveCredentials }) => giveCredentials],
  [/^LOADING/, 'loading', 'the server is still loading its data: try again when it is done'],
  [/^BUSY /, 'busy', 'a script is blocking the server: wait for it, or end it with SCRIPT KILL'],
  [/^MISCONF/, 'misconf', 'the last save failed and writes are blocked: see the server’s log'],
  [
    /^READONLY/,
    'readonly',
    'this is a replica, which takes no writes: connect to its master (INFO replication names it)',
  ],
  [
    /^OOM/,
    'oom',
    'maxmemory is reached and nothing may be evicted: raise maxmemory, free memory, or choose another maxmemory-policy',
  ],
  [
    /DB index is out of range/,
    'database',
    'the server has fewer databases (CONFIG GET databases): name another one',
  ],
  [/^MASTERDOWN/, 'masterdown', 'this replica has lost its master: see INFO replication'],
  [
    /max number of clients/,
    'maxclients',
    'the server has no connection left: find who holds them with CLIENT LIST, or raise maxclients',
  ],
  [
    /^DENIED/,
    'denied',
    'the server’s protected mode refuses other hosts: give it a password, or connect from its own host',
  ],
  [
    /^ERR unknown command/i,
    'unknown-command',
    ({ giveNames }) =>
      `is it renamed or switched off (rename-command in the configuration of the server)? ${giveNames}, and withhold commands by ACL instead`,
  ],
  [/Command timed out/, 'timeout', 'is it busy, stopped or overloaded? See redis-agent runbook slow'],
  [
    /[Cc]onnection is closed|isn't writeable|ECONNRESET|EPIPE/,
    'closed',
    'the server closed the connection: did it restart?',
  ],
  [
    /Unknown RESP type|Protocol error/,
    'not-redis',
    ({ url }) => `something else than Redis answers on this port: check ${url}`,
  ],
];

/** In our own words where the client library's would not help. */
const texts: Partial<Record<ReasonOf<'redis'>, string>> = {
  'unknown-command': 'the server does not know this command',
  timeout: 'no answer in time',
  closed: 'the connection is closed',
  'not-redis': 'the answer is not in Redis’s protocol',
};

/** What the failure of one command means, without the arguments of that command. */
export interface CommandFailure {
  reason: ReasonOf<'redis'>;
  why: string;
  hint: string | undefined;
}

/** Only these commands have rights of their own for each subcommand (among those that the agent sends). */
const containers =
  /^(acl|client|cluster|command|config|function|latency|memory|module|object|script|slowlog)$/i;

/** The server's reply to these may quote a password of their arguments. */
const quoting = /^(acl|auth|hello|migrate)$/i;

/** Explains the error that a command was answered with. */
export function explainFailure(
  target: RedisTarget,
  command: string,
  args: readonly (string | number)[],
  cause: unknown,
): CommandFailure {
  const text = messageOf(cause).replace(/\.$/, '');
  if (text.startsWith('NOPERM')) return noPermission(target, command, args, text);
  const [, reason = 'reply', hint] = replyReasons.find(([pattern]) => pattern.test(text)) ?? [];
  const shown = quoting.test(command) ? text.replace(/['`"].*['`"]/, '…') : text;
  const next = typeof hint === 'function' ? hint(wordsOf(target)) : hint;
  return { reason, why: texts[reason] ?? shown, hint: next };
}

/**
 * The same as an AgentError `redis` that names the instance and the command. It has no `cause`: the client library's
 * error holds the command's arguments, and those of AUTH are a password.
 */
export function commandError(
  target: RedisTarget,
  command: string,
  args: readonly (string | number)[],
  cause: unknown,
): AgentError {
  if (cause instanceof AgentError) return cause;
  const { reason, why, hint } = explainFailure(target, command, args, cause);
  const failed = reason === 'noperm' ? why : `${nameOf(command, args)}: ${why}`;
  return new AgentError('redis', `${subjectOf(target)}${failed}`, {
    reason,
    hint,
  });
}

function noPermission(
  target: RedisTarget,
  command: string,
  args: readonly (string | number)[],
  text: string,
): CommandFailure {
  const user = target.username ?? 'default';
  const name = nameOf(command, args);
  const [what, rule] = /\bkeys?\b/.test(text)
    ? [`use the keys of ${name}`, '~*']
    : [`run ${name}`, `+${name.toLowerCase().replace(' ', '|')}`];
  return {
    reason: 'noperm',
    why: `user ${user} may not ${what}`,
    hint: `grant it on the server: ACL SETUSER ${user} ${rule}`,
  };
}

function nameOf(command: string, args: readonly (string | number)[]): string {
  const [first] = args;
  const subcommand = containers.test(command) && first !== undefined ? ` ${first}` : '';
  return `${command}${subcommand}`.toUpperCase();
}
