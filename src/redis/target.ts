import type { Secret } from '../domain/secret.ts';
import type { TlsSettings } from '../domain/settings.ts';

/** Where and as whom to connect. */
export interface RedisTarget {
  /** The instance's name, for messages. */
  name: string;
  /** redis://, rediss:// or unix:// without a password. */
  url: string;
  username?: string | undefined;
  password?: Secret | undefined;
  tls?: TlsSettings | undefined;
  /** Its data folder as this host has it; its own `dir` when left out. */
  dataDir?: string | undefined;
  /** Commands that the server has under other names, by their own in capitals. */
  renamed?: Readonly<Record<string, string>> | undefined;
}

/** What that server calls a command. */
export function nameOn({ renamed }: RedisTarget, command: string): string {
  return renamed?.[command.toUpperCase()] ?? command;
}
