import { isOpen } from '../../formats/acl/user.ts';
import { atLeastVersion } from '../../formats/conf/engine.ts';
import { isYes, setting, usersOf, type AuditFacts } from '../facts.ts';

/** `every`: all addresses of the host · `public`: one that the Internet can reach · `private`: its network · `loopback`: itself. */
export type Reach = 'every' | 'public' | 'private' | 'loopback';

const order: readonly Reach[] = ['loopback', 'private', 'public', 'every'];

/** How far one address of `bind` reaches. A name is taken for its network's. */
export function reachOf(address: string): Reach {
  const bare = address.replace(/^-/, '').replace(/%.*$/, '').toLowerCase();
  if (['*', '::*', '0.0.0.0', '::', ''].includes(bare)) return 'every';
  if (bare.startsWith('127.') || bare === '::1' || bare === 'localhost') return 'loopback';
  if (
    /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
      bare,
    )
  )
    return 'private';
  if (/^(?:f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/.test(bare)) return 'private';
  return /^[\d.]+$|:/.test(bare) ? 'public' : 'private';
}

export function bindAddresses(value: string): string[] {
  const words = value.split(/\s+/).filter(Boolean);
  return words.length === 0 ? ['*'] : words;
}

/** Undefined where `bind` or the ports cannot be seen. */
export function reachOfServer(facts: AuditFacts): Reach | undefined {
  const bind = setting(facts, 'bind').value;
  if (bind === undefined) return undefined;
  if (!hasPort(facts, 'port') && !hasPort(facts, 'tls-port')) return 'loopback';
  return bindAddresses(bind.value)
    .map(reachOf)
    .reduce((wide, each) => (order.indexOf(each) > order.indexOf(wide) ? each : wide));
}

export function hasPort(facts: AuditFacts, name: 'port' | 'tls-port'): boolean {
  const port = setting(facts, name).value;
  return port !== undefined && port.value !== '0' && port.value !== '';
}

/** Does the default user let everybody in? Undefined where that cannot be seen. */
export function defaultIsOpen(facts: AuditFacts): boolean | undefined {
  const tried = facts.server.value?.unauthenticated.value;
  if (tried !== undefined) return tried !== 'noauth';
  const users = usersOf(facts).value;
  const user = users?.find((each) => each.user.name === 'default');
  return user === undefined ? undefined : isOpen(user.user);
}

/** Are clients from elsewhere turned away while there is no password? */
export function isProtected(facts: AuditFacts): boolean {
  const mode = setting(facts, 'protected-mode').value;
  if (mode === undefined || !isYes(mode.value)) return false;
  const { engine, version } = facts.engine;
  const bind = setting(facts, 'bind').value;
  // Up to 6.2 any bind line switched the protection off.
  const explicit = bind !== undefined && bind.from !== 'default' && bind.value !== '';
  return engine === 'valkey' || atLeastVersion(version, '7.0') || !explicit;
}
