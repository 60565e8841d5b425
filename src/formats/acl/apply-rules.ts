import { atLeastVersion } from '../conf/engine.ts';
import type { AclContext } from './acl-context.ts';
import { changeCommands } from './change-commands.ts';
import { commandTable } from './command-table.ts';
import { noGrants, type AclUser, type Grants } from './user.ts';

/** A rule that the server refuses. */
export interface AclFault {
  /** Which word of the rules, from 0. */
  word: number;
  why: string;
}

/** What the rules of a new user come to, in the server's own order. Rules that it refuses change nothing. */
export function applyRules(
  name: string,
  rules: readonly string[],
  context: AclContext,
  start?: AclUser,
): { user: AclUser; faults: AclFault[] } {
  const user = start ?? newUser(name, context);
  const joined = joinSelectors(rules);
  const faults = [...joined.faults];
  for (const { text, word } of joined.rules) {
    const why = applyRule(user, text, context);
    if (why !== undefined) faults.push({ word, why });
  }
  return { user, faults };
}

export function newUser(name: string, context: AclContext): AclUser {
  const user: AclUser = {
    name,
    enabled: false,
    noPassword: false,
    hashes: new Set(),
    own: noGrants(),
    selectors: [],
  };
  user.own.allChannels = channelsByDefault(context);
  return user;
}

function channelsByDefault({ engine, channelsByDefault: set }: AclContext): boolean {
  if (engine.engine === 'redis' && !atLeastVersion(engine.version, '6.2')) return true;
  if (set !== undefined) return set === 'allchannels';
  return engine.engine === 'redis' && !atLeastVersion(engine.version, '7.0');
}

interface JoinedRule {
  text: string;
  word: number;
}

/** `(+get ~a` and `~b)` are one rule, a selector. */
function joinSelectors(words: readonly string[]): { rules: JoinedRule[]; faults: AclFault[] } {
  const rules: JoinedRule[] = [];
  let open: JoinedRule | undefined;
  for (const [word, text] of words.entries()) {
    if (open !== undefined) open.text += ` ${text}`;
    else if (text.startsWith('(')) open = { text, word };
    else rules.push({ text, word });
    if (open?.text.endsWith(')') !== true) continue;
    rules.push(open);
    open = undefined;
  }
  return {
    rules,
    faults: open === undefined ? [] : [{ word: open.word, why: 'a parenthesis is not closed' }],
  };
}

/** Undefined when it was applied; else why the server refuses it. */
function applyRule(user: AclUser, rule: string, context: AclContext): string | undefined {
  const word = rule.toLowerCase();
  const value = rule.slice(1);
  const seven = context.engine.engine === 'valkey' || atLeastVersion(context.engine.version, '7.0');
  switch (word) {
    case 'on':
    case 'off':
      user.enabled = word === 'on';
      return undefined;
    case 'nopass':
    case 'resetpass':
      user.noPassword = word === 'nopass';
      user.hashes.clear();
      return undefined;
    case 'skip-sanitize-payload':
    case 'sanitize-payload':
      return since(context, '6.2');
    case 'clearselectors':
      user.selectors = [];
      return since(context, '7.0');
    case 'reset':
      Object.assign(user, newUser(user.name, context));
      return undefined;
  }
  if (rule.startsWith('>') || rule.startsWith('#')) return addHash(user, rule, context);
  if (rule.startsWith('<') || rule.startsWith('!')) {
    const hash = rule.startsWith('<') ? context.hash(value) : value;
    return user.hashes.delete(hash) ? undefined : 'it takes away a password that the user does not have';
  }
  if (!rule.startsWith('(')) return applyToGrants(user.own, rule, context);
  if (!seven) return 'selectors need Redis 7.0';
  const grants = noGrants();
  grants.allChannels = channelsByDefault(context);
  for (const each of rule.slice(1, -1).split(' ').filter(Boolean)) {
    const why = applyToGrants(grants, each, context);
    if (why !== undefined) return why;
  }
  user.selectors.push(grants);
  return undefined;
}

function addHash(user: AclUser, rule: string, { hash }: AclContext): string | undefined {
  const value = rule.slice(1);
  if (rule.startsWith('#') && !/^[0-9a-f]{64}$/.test(value))
    return 'after # stand the 64 lower-case hexadecimal digits of a SHA-256';
  user.hashes.add(rule.startsWith('#') ? value : hash(value));
  user.noPassword = false;
  return undefined;
}

function since({ engine }: AclContext, version: string): string | undefined {
  return engine.engine === 'valkey' || atLeastVersion(engine.version, version)
    ? undefined
    : `it is not known before Redis ${version}`;
}

/** Keys, channels, databases and commands: what a user and a selector have in common. */
function applyToGrants(grants: Grants, rule: string, context: AclContext): string | undefined {
  const word = rule.toLowerCase();
  if (word === '~*' || word === 'allkeys') return setAll(grants, 'Keys', true);
  if (word === 'resetkeys') return setAll(grants, 'Keys', false);
  if (word === '&*' || word === 'allchannels') {
    setAll(grants, 'Channels', true);
    return since(context, '6.2');
  }
  if (word === 'resetchannels') {
    setAll(grants, 'Channels', false);
    return since(context, '6.2');
  }
  if (word.startsWith('db=') || word === 'alldbs' || word === 'resetdbs')
    return setDatabases(grants, word, context);
  const [, permissions, pattern] = /^(?:%([RrWw]+))?~(.*)$/s.exec(rule) ?? [];
  if (pattern !== undefined) return addKeys(grants, permissions, pattern, context);
  if (rule.startsWith('&')) {
    if (grants.allChannels)
      return 'all channels are open already, so a pattern says nothing: put resetchannels before it';
    grants.channels.push(rule.slice(1));
    return since(context, '6.2');
  }
  if (word === 'allcommands') return changeCommands(grants, '+@all', commandTable(context.engine), context);
  if (word === 'nocommands') return changeCommands(grants, '-@all', commandTable(context.engine), context);
  if (rule.startsWith('+') || rule.startsWith('-'))
    return changeCommands(grants, rule, commandTable(context.engine), context);
  return 'it is no ACL rule';
}

function setAll(grants: Grants, what: 'Keys' | 'Channels', all: boolean): undefined {
  grants[`all${what}`] = all;
  if (what === 'Keys') grants.keys = [];
  else grants.channels = [];
}

function setDatabases(grants: Grants, word: string, { engine }: AclContext): string | undefined {
  if (engine.engine !== 'valkey' || !atLeastVersion(engine.version, '9.1'))
    return 'databases in rules need Valkey 9.1';
  grants.databases = word === 'alldbs' ? undefined : word === 'resetdbs' ? '' : word.slice('db='.length);
  return undefined;
}

function addKeys(
  grants: Grants,
  permissions: string | undefined,
  pattern: string,
  context: AclContext,
): string | undefined {
  if (grants.allKeys) return 'all keys are open already, so a pattern says nothing: put resetkeys before it';
  const letters = permissions?.toLowerCase() ?? 'rw';
  const all = pattern === '*' && letters.includes('r') && letters.includes('w');
  if (all) setAll(grants, 'Keys', true);
  else grants.keys.push({ pattern, read: letters.includes('r'), write: letters.includes('w') });
  return permissions === undefined ? undefined : since(context, '7.0');
}
