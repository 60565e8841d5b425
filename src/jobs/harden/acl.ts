import type { AclUserSettings } from '../../domain/settings/harden.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { findProfile } from '../../formats/acl/profiles/index.ts';
import { parseConfDocument, type ConfDocument } from '../../formats/conf/document.ts';
import type { LineEdit } from '../../formats/conf/edit-conf.ts';
import { markOf } from './user-mark.ts';
import { mergePlans, type AclWork, type UserWork } from '../../harden/acl/merge-plans.ts';
import type { Need } from '../../harden/acl/plan-acl.ts';
import { userEdits, withoutPasswords, type UserFiles } from '../../harden/acl/user-lines.ts';
import type { ChangePlace, HeldUser, Refusal, UserChange } from '../../harden/changes.ts';
import type { FileFacts } from '../../harden/facts.ts';
import { readFiles, type ReadFilesOptions } from '../../harden/read/read-files.ts';
import { usersOfList } from '../../harden/read/read-users.ts';
import { watchRights } from '../../monitor/rights.ts';
import type { InspectedServer } from './inspect-server.ts';

/** What the configuration wants of users. */
export interface AclSettings {
  acl: Record<string, AclUserSettings>;
  close_default: boolean;
}

export interface PlannedUsers {
  work: UserWork[];
  changes: UserChange[];
  refused: Refusal[];
  /** Those that need no change. */
  held: HeldUser[];
  /** By file. */
  edits: Map<string, LineEdit[]>;
  /** The aclfile, where the server has one. */
  aclfile: { path: string; document: ConfDocument } | undefined;
}

const largestAclFile = 8 * 1024 * 1024;
const none: PlannedUsers = {
  work: [],
  changes: [],
  refused: [],
  held: [],
  edits: new Map(),
  aclfile: undefined,
};

/** What the users of a server lack of what the configuration wants of them. Changes nothing. */
export function prepareUsers(
  inspected: InspectedServer,
  instance: InstanceSettings,
  settings: AclSettings | undefined,
): PlannedUsers {
  const names = Object.keys(settings?.acl ?? {});
  if (settings === undefined || names.length === 0) return none;
  const refuseAll = (why: string, instead: string): PlannedUsers => ({
    ...none,
    refused: [{ directive: 'users', to: names.join(', '), why, instead }],
  });
  const { engine, users } = inspected;
  if (users === undefined)
    return refuseAll(
      'whoever asks may not list them',
      'name who may change users: --username and --password-file',
    );
  const files = readFiles(inspected.file, readOptions(inspected));
  const aclfile = inspected.config.get('aclfile') ?? '';
  if (aclfile !== '' && files.aclfile === undefined)
    return refuseAll(
      `the aclfile ${aclfile} cannot be read, or is named in no file`,
      'see: redis-agent audit; it has to be there before the next start too',
    );
  const place = placesOf(inspected, files);
  const twice = names.filter((name) => (place.places.get(name)?.length ?? 0) > 1);
  const memory = usersOfList(users, engine);
  const merged = mergePlans(memory, files.aclfile?.users ?? files.users, new Set(place.places.keys()), {
    engine,
    wishes: Object.fromEntries(Object.entries(settings.acl).filter(([name]) => !twice.includes(name))),
    closeDefault: settings.close_default,
    connected:
      inspected.clients && new Set(inspected.clients.flatMap(({ user, own }) => (own ? [] : (user ?? [])))),
    needs: needsOf(inspected, instance),
  });
  const refusedTwice = twice.map((user) => ({
    user,
    why: `it stands on ${place.places.get(user)?.length} lines, which add up`,
  }));
  const { edits, where } = userEdits(place, merged.work);
  const touched = new Set([...merged.work, ...merged.refused, ...refusedTwice].map(({ user }) => user));
  const wanted = settings.close_default ? new Set([...names, 'default']) : names;
  const held = [...wanted].flatMap((name) => {
    const now = touched.has(name) ? undefined : memory.find(({ user }) => user.name === name);
    return now === undefined ? [] : { user: name, mark: markOf(now.user) };
  });
  return {
    work: merged.work,
    changes: merged.work.map((work) => describe(work, where.get(work.user), settings)),
    refused: [...merged.refused, ...refusedTwice].map((each) => refusal(each, settings)),
    held,
    edits,
    aclfile: place.kind === 'aclfile' ? place.files[0] : undefined,
  };
}

export function readOptions({ engine, seen, service, memory }: InspectedServer): ReadFilesOptions {
  const options = service?.arguments?.directives;
  return { engine, reader: seen.reader, alone: false, memory, options };
}

function placesOf({ conf, seen }: InspectedServer, { aclfile, entries }: FileFacts): UserFiles {
  const found = new Map<string, ChangePlace[]>();
  for (const { name, values, place } of aclfile?.entries ?? entries) {
    const [who] = values;
    if (name !== 'user' || who === undefined || place === undefined) continue;
    found.set(who, [...(found.get(who) ?? []), { file: place.file, line: place.line }]);
  }
  if (aclfile === undefined) return { kind: 'conf', files: conf.files, places: found };
  const document = parseConfDocument(seen.reader.read(aclfile.path, largestAclFile));
  const files = [{ path: aclfile.path, document }];
  return { kind: 'aclfile', files, places: found };
}

const changing = [
  'config|get',
  'config|set',
  'acl|list',
  'acl|setuser',
  'acl|deluser',
  'client|list',
  'info',
];

/** Who would no longer get in, or could no longer do what he is there for. */
function needsOf(
  { clients = [], config, engine, info }: InspectedServer,
  { username = 'default' }: InstanceSettings,
): Need[] {
  const agent = ['ping', 'info', 'time', 'config|get', 'bgsave', ...watchRights(engine.version)]
    .filter((word) => !/[~&]/.test(word))
    .map((word) => word.replace(/^\+/, ''));
  const needs: Need[] = [{ user: username, who: 'the agent itself logs in', commands: agent, channels: [] }];
  const own = clients.find((client) => client.own)?.user;
  if (own !== undefined && own !== username)
    needs.push({ user: own, who: 'whoever changes this logs in', commands: changing, channels: [] });
  const add = (user: string, who: string, profile: string): void => {
    const { commands = [], channels = [] } = findProfile(profile) ?? {};
    needs.push({ user, who, commands, channels });
  };
  for (const { user, kind } of clients) {
    if (user === undefined || kind === 'client') continue;
    if (kind === 'replica') add(user, 'replicas log in', 'replication');
    else add(user, 'a Sentinel logs in', 'sentinel');
  }
  // After a failover the others come here as this one goes there.
  const masteruser = config.get('masteruser') ?? '';
  const replicates = info.get('role') === 'slave' || (config.get('masterauth') ?? '') !== '';
  if (replicates)
    add(masteruser === '' ? 'default' : masteruser, 'after a failover its replicas log in', 'replication');
  return needs;
}

function describe(
  { user, kind, words, line, why, wasThere }: UserWork,
  place: ChangePlace | undefined,
  { acl }: AclSettings,
): UserChange {
  const profile = acl[user]?.profile;
  return {
    user,
    kind,
    class: words === undefined ? 'file' : 'run time',
    rules: (line ?? words ?? []).map(withoutPasswords),
    reason: profile === undefined ? why : `profile ${profile}: ${why}`,
    place: place ?? null,
    risk: risks[kind],
    inverse: wasThere ? `ACL SETUSER ${user} … as it was` : `ACL DELUSER ${user}`,
  };
}

const risks: Readonly<Record<UserWork['kind'], string>> = {
  new: 'none: nobody has been using it',
  rights: 'what it may no longer do is refused, on connections that are open too',
  closed: 'a client that does not log in is refused; connections that are open stay',
};

function refusal({ user, why }: AclWork['refused'][number], { acl }: AclSettings): Refusal {
  return {
    directive: `user ${user}`,
    to: acl[user]?.profile ?? 'off',
    why,
    instead:
      user === 'default'
        ? 'clients and people log in as users of their own first; then apply again, as the admin'
        : 'another profile, also: or keys: in harden.acl; or leave the user out there',
  };
}
