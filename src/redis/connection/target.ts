import type { Secret } from '../../domain/secret.ts';
import type { TlsSettings } from '../../domain/settings.ts';

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
  /** How messages speak of it; as of an instance of the configuration when left out. */
  words?: TargetWords | undefined;
}

/** What messages call the parts of a target: settings of an instance, or flags of a command. */
export interface TargetWords {
  /** `instance main: `, in front of what is wrong. */
  subject: (target: RedisTarget) => string;
  cannotConnect: (target: RedisTarget) => string;
  url: string;
  ca: string;
  cert: string;
  key: string;
  serverName: string;
  /** Where certificate files are named. */
  tls: string;
  /** Behind `check`. */
  credentials: string;
  /** What to do where none were given. */
  giveCredentials: string;
  /** What to do where a command has another name on the server. */
  giveNames: string;
}

const instanceWords: TargetWords = {
  subject: ({ name }) => `instance ${name}: `,
  cannotConnect: ({ name, url }) => `instance ${name}: cannot connect to ${url}`,
  url: 'url',
  ca: 'tls.ca',
  cert: 'tls.cert',
  key: 'tls.key',
  serverName: 'tls.server_name',
  tls: 'the tls section of this instance',
  credentials: 'username and password of this instance',
  giveCredentials: 'set password, and username for an ACL user, of this instance',
  giveNames: 'Name it under renamed: of this instance; or take that line out',
};

/** Of a server that a flag names by its URL: there is no configuration to mend. `flag` is `--into` or its like. */
export function flagWords(flag: string): TargetWords {
  return {
    subject: ({ name }) => `${name}: `,
    cannotConnect: ({ url }) => `cannot connect to ${url}`,
    url: flag,
    ca: '--ca-file',
    cert: '--cert-file',
    key: '--key-file',
    serverName: '--server-name',
    tls: '--ca-file, --cert-file and --key-file',
    credentials: '--username and its password',
    giveCredentials: 'give --password-file, and --username for an ACL user',
    giveNames: 'Take that line out',
  };
}

export function wordsOf({ words = instanceWords }: RedisTarget): TargetWords {
  return words;
}

/** `instance main: `, for the start of a message. */
export function subjectOf(target: RedisTarget): string {
  return wordsOf(target).subject(target);
}

/** What that server calls a command. */
export function nameOn({ renamed }: RedisTarget, command: string): string {
  return renamed?.[command.toUpperCase()] ?? command;
}
