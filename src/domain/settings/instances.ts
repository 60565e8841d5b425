import type { SecretRef } from '../secret.ts';
import type { Role, ThresholdOverrides } from './monitor.ts';

export interface TlsSettings {
  /** PEM files. `ca` replaces the system's roots. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** Name to check the certificate against when it differs from the URL's host. */
  server_name?: string | undefined;
}

/**
 * The name of a systemd unit; or that, and the user that the server runs as; or program and arguments of commands, which run
 * as that user. Without `stop` the server is asked to end.
 */
export type ServiceSettings =
  | string
  | {
      unit?: string | undefined;
      /** By name or number; found when left out. */
      user?: string | undefined;
      start?: string[] | undefined;
      stop?: string[] | undefined;
    };

/** Programs of the server's own version, by their paths. */
export interface ToolSettings {
  redis_server?: string | undefined;
  redis_check_rdb?: string | undefined;
  redis_check_aof?: string | undefined;
}

export interface InstanceSettings {
  name: string;
  /** redis://host:port, rediss://host:port or unix:///path; never with a user or password in it. */
  url: string;
  username?: string | undefined;
  password?: SecretRef | undefined;
  tls?: TlsSettings | undefined;
  /** How the server is started and stopped: a systemd unit, or commands; found when left out. */
  service?: ServiceSettings | undefined;
  /** Found in the service's start command, the packages' folders and PATH when left out. */
  tools?: ToolSettings | undefined;
  /** The server’s data folder as this host has it, where the server names another path or none that is right here. */
  data_dir?: string | undefined;
  /** Where rename-command is in use: what the server calls these commands, which are in capitals. */
  renamed?: Record<string, string> | undefined;
  role?: Role | undefined;
  /** The policy of `harden`, when it is not the role's: one of ours, or a file. */
  policy?: string | undefined;
  /** Billed by command: it is polled rarely, and with few commands. */
  frugal?: boolean | undefined;
  /** Before those of monitor.thresholds. */
  thresholds?: ThresholdOverrides | undefined;
}
