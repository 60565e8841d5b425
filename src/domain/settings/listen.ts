import type { SecretRef } from '../secret.ts';

/** Where the report, due dates, /metrics and /healthz are served. */
export interface ListenSettings {
  address: { host: string; port: number } | { socket: string };
  /** What whoever asks has to bring; always there where the address is not this host's own. */
  token?: SecretRef | undefined;
}
