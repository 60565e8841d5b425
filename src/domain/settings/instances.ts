import type { SecretRef } from '../secret.ts';

export interface TlsSettings {
  /** PEM files. `ca` replaces the system's roots. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** Name to check the certificate against when it differs from the URL's host. */
  server_name?: string | undefined;
}

/** The name of a systemd unit, or program and arguments of commands. Without `stop` the server is asked to end. */
export type ServiceSettings = string | { start: string[]; stop?: string[] | undefined };

export interface InstanceSettings {
  name: string;
  /** redis://host:port, rediss://host:port or unix:///path; never with a user or password in it. */
  url: string;
  username?: string | undefined;
  password?: SecretRef | undefined;
  tls?: TlsSettings | undefined;
  /** How the server is started and stopped: a systemd unit, or commands; found when left out. */
  service?: ServiceSettings | undefined;
  role?: 'cache' | 'queue' | 'session' | 'durable' | undefined;
}
