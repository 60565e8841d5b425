import type { AclUser } from '../formats/acl/user.ts';
import { canonicalName } from '../formats/conf/aliases.ts';
import { lookUpDirective } from '../formats/conf/directive-table.ts';
import type { PlacedWord } from '../formats/conf/document.ts';
import type { EngineVersion } from '../formats/conf/engine.ts';
import { savePointsOfNone } from '../formats/conf/values.ts';
import type { ConfFault } from '../formats/conf/fault.ts';
import type { Info } from '../formats/info/parse-info.ts';
import type { Threshold } from '../domain/settings/monitor.ts';
import type { Denial } from '../redis/acl-log.ts';

/**
 * A fact that was looked for. `missing`: it could not be seen, for want of this right or mount. `absent`: there is no such
 * thing here, so that nothing can be wrong with it.
 */
export type Seen<T> =
  | { value: T; missing?: undefined; absent?: undefined }
  | { value?: undefined; missing: string; absent?: undefined }
  | { value?: undefined; missing?: undefined; absent: string };

export const seen = <T>(value: T): Seen<T> => ({ value });

/** Where something stands in a file. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** A directive of a file, in the order in which the server takes them in. */
export interface FileEntry {
  name: string;
  values: string[];
  /** Undefined: an option of the command line. */
  place: (Place & { words: PlacedWord[] }) | undefined;
}

/** What stat(2) says of a path. */
export interface PathFacts {
  path: string;
  mode: number;
  uid: number;
  gid: number;
  owner: string;
  symlink: boolean;
  /** It is the root of a mount of its own: it cannot be replaced by a rename. */
  mountPoint: boolean;
  device: number;
}

/** A user with where it is defined. `rules` are without secrets. */
export interface UserFacts {
  user: AclUser;
  rules: string[];
  place: Place | undefined;
}

/** What the next start will go by. */
export interface FileFacts {
  /** As it was named: a path, `-`, `compose.yaml (service cache)`. */
  name: string;
  sentinel: boolean;
  paths: string[];
  entries: FileEntry[];
  faults: (ConfFault & { file: string })[];
  problems: { path: string; why: string; from: Place | undefined }[];
  users: UserFacts[];
  /** Undefined: there is none. */
  aclfile:
    | { path: string; users: UserFacts[]; entries: FileEntry[]; faults: (ConfFault & { file: string })[] }
    | undefined;
  /** Of the files, where they lie on this host. */
  stats: PathFacts[];
}

export interface ServerFacts {
  info: Info;
  /** CONFIG GET *; secrets are gone, `requirepass` is `set` or empty. */
  config: Seen<ReadonlyMap<string, string>>;
  users: Seen<UserFacts[]>;
  /** ACL DRYRUN by user and command (7.0+). */
  dryrun: Seen<ReadonlyMap<string, ReadonlyMap<string, boolean>>>;
  modules: Seen<string[]>;
  /** Users of open connections, with how many. */
  clients: Seen<ReadonlyMap<string, number>>;
  /** Denials in ACL LOG: user, reason, where from, how often. */
  aclLog: Seen<Denial[]>;
  /** What a connection without a password got to PING. */
  unauthenticated: Seen<'pong' | 'noauth' | 'denied'>;
  certificate: Seen<CertificateFacts>;
  cluster: Seen<ClusterNode[]>;
  /** A Sentinel listens to it. */
  watched: Seen<boolean>;
  /** Other instances of the agent's that replicate with it, or are of its cluster. */
  peers: Seen<PeerFacts[]>;
}

/** Another node of the same data. */
export interface PeerFacts {
  instance: string;
  /** The user that the agent logs in as there. */
  username: string;
  users: Seen<UserFacts[]>;
}

export interface ClusterNode {
  id: string;
  host: string;
  flags: string;
  /** The id of its master; undefined of a master. */
  master: string | undefined;
  slots: boolean;
}

export interface CertificateFacts {
  /** Milliseconds since the epoch. */
  validTo: number;
  subject: string;
  /** SHA-256 of what is served, and of the file; undefined where it cannot be read. */
  served: string | undefined;
  file: string | undefined;
  path: string | undefined;
  /** That of the file begins later, or no earlier: it is meant to be served. Undefined where the file cannot be read. */
  renewed: boolean | undefined;
}

/** systemd's view of the unit; undefined values: not told. */
export interface UnitFacts {
  id: string;
  properties: ReadonlyMap<string, string>;
}

export interface HostFacts {
  pid: number;
  uid: Seen<number>;
  unit: Seen<UnitFacts>;
  /** Soft limit of open files. */
  openFiles: Seen<number>;
  /** Where it listens, `0.0.0.0:6379`. */
  sockets: Seen<string[]>;
  addresses: string[];
  /** The program's file was replaced since it started. */
  replaced: Seen<boolean>;
  overcommit: Seen<string>;
  hugePages: Seen<string>;
  somaxconn: Seen<number>;
  /** Bytes that there are for it: its container's limit, or its host's memory. */
  memory: number;
  /** pids whose command line holds a password. */
  passwordsInArguments: Seen<{ pid: number; program: string }[]>;
  /** `dir`, the socket's folder … by role. */
  dataDir: Seen<PathFacts>;
  socket: Seen<PathFacts & { folderMode: number }>;
  keyFile: Seen<PathFacts>;
  container: boolean;
  package: Seen<PackageFacts>;
}

export interface PackageFacts {
  name: string;
  version: string;
  distribution: string;
  /** CVE ids that the package's own changelog names. */
  fixed: Seen<ReadonlySet<string>>;
}

/** What the agent knows by itself. */
export interface AgentFacts {
  /** The user that it logs in as. */
  username: string | undefined;
  /** A hash by which instances are compared; never shown. */
  passwordMark: string | undefined;
  /** Other instances with the same password. */
  samePassword: string[];
  repository: Seen<{
    type: string;
    device: number | undefined;
    encrypted: boolean;
    path: string | undefined;
  }>;
  /** Users who are no applications, by configuration. */
  staff: string[];
}

export interface AuditFacts {
  instance: string;
  now: number;
  mode: 'server' | 'files';
  engine: EngineVersion;
  /** False: nobody has said which, and the newest that was probed stands in. */
  engineKnown: boolean;
  role: 'cache' | 'queue' | 'session' | 'durable' | undefined;
  server: Seen<ServerFacts>;
  files: Seen<FileFacts>;
  host: Seen<HostFacts>;
  agent: AgentFacts;
  /** When a finding of that rule that is open was last seen, milliseconds since the epoch. */
  lastSeen: ReadonlyMap<string, number>;
  /** Days before the end of a certificate at which it is told. */
  certificateDays: Threshold;
}

/** A directive's value and where it comes from. */
export interface Setting {
  value: string;
  from: 'run time' | 'file' | 'default';
  place: Place | undefined;
}

/** What holds now: of a server that runs its running value, of files the last mention, or else the default. */
export function setting(facts: AuditFacts, name: string): Seen<Setting> {
  if (facts.mode === 'files') return fileSetting(facts, name);
  if (facts.server.value === undefined) return facts.server;
  const { config } = facts.server.value;
  if (config.value === undefined) return config;
  const value = config.value.get(name);
  if (value === undefined) return { absent: `this server has no ${name}` };
  return seen({ value, from: 'run time', place: undefined });
}

/** What the next start will go by, whatever runs now. */
export function fileSetting(facts: AuditFacts, name: string): Seen<Setting> {
  const { files } = facts;
  if (files.value === undefined) return files;
  const [problem] = files.value.problems;
  if (problem !== undefined) return { missing: `${problem.path}: ${problem.why}` };
  const entry = files.value.entries.findLast((each) => canonicalName(each.name) === canonicalName(name));
  if (entry !== undefined) return seen({ value: entry.values.join(' '), from: 'file', place: entry.place });
  if (facts.engine.docker && name === 'protected-mode')
    return seen({ value: 'no', from: 'default', place: undefined });
  const known = lookUpDirective(name, facts.engine);
  const value = known.state === 'known' ? (ownDefault(name, facts.engine) ?? known.facts.default) : undefined;
  return value === undefined
    ? { absent: `no line says ${name}` }
    : seen({ value, from: 'default', place: undefined });
}

/** Defaults that the probing itself had to change. */
function ownDefault(name: string, engine: EngineVersion): string | undefined {
  return name === 'save' ? savePointsOfNone(engine) : ownDefaults[name];
}

const ownDefaults: Record<string, string> = {
  port: '6379',
  'tls-port': '0',
  bind: '* -::*',
  appendonly: 'no',
  maxclients: '10000',
};

/** Users as they are now, or as the files make them. */
export function usersOf(facts: AuditFacts): Seen<UserFacts[]> {
  if (facts.mode === 'files') return fileUsers(facts);
  return facts.server.value === undefined ? facts.server : facts.server.value.users;
}

/** Those that the files make; where there are none, those of now. */
export function usersOfNextStart(facts: AuditFacts): Seen<UserFacts[]> {
  return facts.files.value === undefined ? usersOf(facts) : fileUsers(facts);
}

function fileUsers(facts: AuditFacts): Seen<UserFacts[]> {
  if (facts.files.value === undefined) return facts.files;
  const { aclfile, users, problems, entries } = facts.files.value;
  const [problem] = problems;
  // A user may stand in any of them.
  if (problem !== undefined) return { missing: `${problem.path}: ${problem.why}` };
  const named = entries.findLast(({ name }) => name === 'aclfile')?.values[0] ?? '';
  if (aclfile === undefined && named !== '')
    return { missing: `the aclfile ${named} was not given (--aclfile)` };
  return seen(aclfile?.users ?? users);
}

export function isYes(value: string): boolean {
  return value.toLowerCase() === 'yes';
}

/** What keeps others from the ports of a host. */
export type FirewallTool = 'ufw' | 'firewalld' | 'nftables' | 'iptables';
