import { atLeastVersion, type EngineVersion } from '../../formats/conf/engine.ts';
import type { Refusal } from '../changes.ts';
import { counted } from '../../lib/text/counted.ts';
import { printable } from '../../lib/text/printable.ts';
import { amount } from '../accept.ts';
import type { PlanFacts } from './facts.ts';

type Why = Pick<Refusal, 'why' | 'instead'>;
export type Guards = Readonly<Record<string, Guard>>;
type Guard = (to: string, facts: PlanFacts) => Why | undefined;

/** Lossy at replay where the default user may not do everything; 6.x, 8.6.3 and Valkey 9.1.2 are safe. */
function replayDrops({ engine, version }: EngineVersion): boolean {
  if (engine === 'valkey') return !atLeastVersion(version, '9.1.2');
  return atLeastVersion(version, '7.0') && !atLeastVersion(version, '8.6.3');
}

const isLoopback = (address: string): boolean =>
  /^(?:127\.|::1$|\[::1\]$|localhost$|\/|unixsocket$|$)/.test(address.replace(/^-/, ''));

/** What would lose data, keys or the way in. By directive, asked with the value that it is to get. */
export const guards: Guards = {
  appendonly(to, { engine, defaultMayAll, config }) {
    if (to === 'no' && config.get('appendonly') === 'yes')
      return {
        why: 'between the run time and the file a crash would load an append only file that is no longer written',
        instead:
          'by hand, in this order: appendonly no in the file, BGSAVE, and when it has ended CONFIG SET appendonly no',
      };
    if (to !== 'yes' || !replayDrops(engine) || defaultMayAll === true) return undefined;
    return {
      why:
        defaultMayAll === undefined
          ? 'whether the user default may do everything cannot be seen, and where it may not, this version drops every transaction from the AOF at its next start'
          : 'the user default may not do everything: this version would drop every transaction and every script of several writes from the AOF at its next start',
      instead: 'make its line first: user default off resetpass ~* &* +@all (redis-agent explain ACL05)',
    };
  },
  maxmemory(to, { usedMemory, memory }) {
    const bytes = amount(to, memory);
    if (bytes === undefined)
      return {
        why: 'the memory of its host cannot be seen, so that a share of it is no number',
        instead: 'name a size in a policy of your own: maxmemory: { value: 2gb, … }',
      };
    // Zero is no limit.
    if (bytes === 0 || usedMemory * 1.05 < bytes) return undefined;
    return {
      why: `${megabytes(usedMemory)} are in use, and ${megabytes(bytes)} would be the limit: keys would be evicted, or writes refused, at once`,
      instead: 'make room, or name a larger size in a policy of your own',
    };
  },
  maxclients(to, { connectedClients }) {
    if (Number(to) > connectedClients * 1.2) return undefined;
    return {
      why: `${counted(connectedClients, 'client is', 'clients are')} connected`,
      instead: 'name a larger number, or see who holds connections: redis-agent clients',
    };
  },
  bind: guardBind,
  'protected-mode'(to, { defaultOpen, clients, agent }) {
    if (to !== 'yes' || defaultOpen === false) return undefined;
    if (clients === undefined) return unlisted;
    const far = [agent, ...clients].find(({ from }) => from !== undefined && !isLoopback(from));
    if (far === undefined) return undefined;
    return {
      why: `${far.from} is connected${far === agent ? ' (the agent itself)' : ''}, and without a password only clients of this host would get in`,
      instead: 'give the user default a password, and the clients',
    };
  },
  port(to, { policy, agent, clients, config }) {
    const { protocol, port } = new URL(agent.url);
    if (protocol === 'redis:' && to !== (port === '' ? '6379' : port))
      return {
        why: `the agent itself comes by that port (${agent.url})`,
        instead: 'let its url name the new one first, rediss:// for the TLS port, and try: redis-agent check',
      };
    const now = config.get('port');
    if (now === undefined || now === '0' || now === to) return undefined;
    const left = clients?.filter((client) => client.port === Number(now)) ?? [];
    const unseen = unseenOf(clients);
    if (unseen !== undefined && left.length === 0 && policy.clientsMoved !== true)
      return { ...unseen, instead: `${unseen.instead}; or see that all have moved, and say --clients-moved` };
    if (left.length === 0) return undefined;
    const who = [
      ...new Set(left.map(({ from, user }) => `${from}${user === undefined ? '' : ` as ${user}`}`)),
    ];
    const more = who.length > 3 ? ', …' : '';
    return {
      why: `${counted(left.length, 'client is', 'clients are')} connected by that port, and would not get in again: ${who.slice(0, 3).map(printable).join(', ')}${more}`,
      instead: 'move them first (redis-agent clients says who they are), then again',
    };
  },
  'tls-port'(to, { agent }) {
    const { protocol, port } = new URL(agent.url);
    if (protocol !== 'rediss:' || to === (port === '' ? '6379' : port)) return undefined;
    return { why: `the agent itself comes by that port (${agent.url})`, instead: 'change its url first' };
  },
  'tls-auth-clients'(to, { agent }) {
    if (to !== 'yes' || !agent.url.startsWith('rediss:') || agent.hasCertificate) return undefined;
    return {
      why: 'the agent itself has no client certificate and would be refused',
      instead: 'give it one first: tls: { cert: …, key: … } of the instance',
    };
  },
  aclfile(to, { aclfile }) {
    if (to === '' || aclfile === true) return undefined;
    return {
      why:
        aclfile === undefined
          ? `${to} cannot be read, and a server whose aclfile is missing does not start`
          : `${to} has no line for the user default: the server would be open to everybody, whatever requirepass says`,
      instead: 'add this line to it: user default off resetpass ~* &* +@all',
    };
  },
};

const unlisted: Why = {
  why: 'who is connected cannot be seen: whoever asks may not list the clients',
  instead: 'give it that right (+client|list), or name who has it: --username and --password-file',
};

/** Undefined where it is known of each client by which address and port it comes. */
function unseenOf(clients: PlanFacts['clients']): Why | undefined {
  if (clients === undefined) return unlisted;
  const hidden = clients.filter(({ port }) => port === undefined);
  if (hidden.length === 0) return undefined;
  return {
    why: `by which of its ports ${counted(hidden.length, 'client comes', 'clients come')} cannot be seen: before 6.2 the server does not tell, and its sockets are not to be seen from here`,
    instead: 'ask on its own host',
  };
}

function guardBind(to: string, facts: PlanFacts): Why | undefined {
  const { engine, agent, clients, defaultOpen } = facts;
  const addresses = to.split(' ').filter(Boolean);
  const old = engine.engine === 'redis' && !atLeastVersion(engine.version, '7.0');
  if (old && defaultOpen !== false && addresses.some((address) => !isLoopback(address)))
    return {
      why: 'before Redis 7.0 a bind line switches protected mode off, and the user default takes no password: the server would be open to whoever reaches it',
      instead: 'give the user default a password first',
    };
  const unseen = unseenOf(clients);
  if (unseen !== undefined) return unseen;
  const missed = [agent, ...(clients ?? [])].find(
    ({ to: used }) => used !== undefined && !isReached(used, addresses),
  );
  if (missed !== undefined)
    return {
      why:
        missed === agent
          ? `the agent itself comes by ${missed.to}, where the server would not listen any more`
          : `clients are connected by ${missed.to}, where the server would not listen any more`,
      instead: `name every address that is used, in a policy of your own: bind: { value: ${to} ${missed.to}, … }`,
    };
  return undefined;
}

/** Does a server that listens on `addresses` take a connection to `used`? */
function isReached(used: string, addresses: readonly string[]): boolean {
  if (used === '' || used.startsWith('/')) return true;
  return addresses.some((address) => {
    const plain = address.replace(/^-/, '').replace(/%.*$/, '');
    if (plain === '*' || plain === '0.0.0.0' || plain === '::*' || plain === '::') return true;
    return plain === used || (plain === 'localhost' && isLoopback(used));
  });
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
