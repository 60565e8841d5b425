import type { Engine } from '../../domain/backup.ts';
import type { Secret } from '../../domain/secret.ts';
import type { TlsSettings } from '../../domain/settings.ts';
import type { Role } from '../../domain/settings/monitor.ts';
import type { PassedOver } from '../../redis/process/find-servers.ts';
import type { FirstChannel } from './first-channel.ts';
import type { GuessedRole } from './role.ts';

/** What `init` is asked to do. Paths are absolute. */
export interface InitOptions {
  /** The configuration to write; secrets go into the folder `secrets` beside it. */
  config: string;
  state: string;
  repository: string;
  /** Servers to look after instead of those that run on this host. */
  urls: string[];
  /** For servers that speak TLS. */
  tls?: TlsSettings | undefined;
  /** Who may create the agent's user. Nobody in particular when left out. */
  admin: { username?: string | undefined; password?: Secret | undefined };
  /** Name of the agent's own ACL user. */
  user: string;
  /** False: only say how to create it. */
  createUser: boolean;
  /** What every server is used for; guessed when left out. */
  role?: Role | undefined;
  /** Asks somebody, with the guess for an answer that says nothing. */
  askRole?: ((name: string, guess: GuessedRole | undefined) => Promise<GuessedRole | undefined>) | undefined;
  /** Who is to hear of trouble. */
  alerts?: FirstChannel | undefined;
  /** Replace an existing configuration, secret or ACL user. */
  force: boolean;
  dryRun: boolean;
  /** Whose the secrets and the data will be, where that is not ourselves. */
  owner?: Owner | undefined;
  /** Where proc(5) is mounted; only a test has another. */
  proc?: string | undefined;
  signal: AbortSignal;
}

export interface Owner {
  uid: number;
  gid: number;
}

/** How the agent's user outlives a restart of its server. */
export type Persistence =
  /** It is in the server's aclfile. `note`: what else there is to do. */
  | { saved: true; file: string; note?: string }
  /** Somebody has to add `line` to `file` (null: the server has none, or we could not see it). */
  | { saved: false; file: string | null; line: string; why: string };

/** The agent's ACL user on one server. */
export interface UserReport {
  name: string;
  /** by-hand: `command` is for somebody who may. planned: a dry run. */
  outcome: 'created' | 'replaced' | 'by-hand' | 'planned';
  /** Why by hand. */
  why?: string;
  /** The command that creates it. The password is in there as its SHA-256 only. */
  command: string;
  persistence: Persistence;
}

export interface InstanceReport {
  name: string;
  url: string;
  engine: Engine | null;
  version: string | null;
  pid: number | null;
  service: string | null;
  /** What it is used for, and what tells so; null where nothing does. */
  role: GuessedRole | null;
  /** The server obeys everybody who reaches it. */
  open: boolean;
  user: UserReport;
}

export interface InitReport {
  dry_run: boolean;
  config: string;
  /** The configuration's text. */
  text: string;
  instances: InstanceReport[];
  passed_over: PassedOver[];
  /** Files that are new, the configuration last; those that would be, in a dry run. */
  written: string[];
  /** What `written` has replaced, under its new name. */
  kept: string[];
}
