import { redisUrlProblem } from '../config/redis-url.ts';
import { readSecret } from '../config/secrets.ts';
import { AgentError } from '../domain/errors.ts';
import { Secret, type SecretRef } from '../domain/secret.ts';
import type { InstanceSettings, TlsSettings } from '../domain/settings.ts';
import { flagWords, type RedisTarget } from '../redis/connection/target.ts';

/** A server as it is named on the command line. */
export interface IntoOptions {
  /** redis://, rediss:// or unix:// without a password; `env:NAME` or `file:PATH` with such a URL; or an instance. */
  into: string;
  /** The flag that named it, for messages; --into when left out. */
  flag?: '--into' | '--connection';
  username?: string | undefined;
  passwordFile?: string | undefined;
  passwordEnv?: string | undefined;
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
  serverName?: string | undefined;
}

const usualFlag = '--into';

/** Finds the server. No password may be an argument: every user of the host sees those. Throws an AgentError `usage`. */
export function intoTarget(
  options: IntoOptions,
  { env, instance }: { env: NodeJS.ProcessEnv; instance: (name: string) => InstanceSettings },
): RedisTarget {
  const { into, flag = usualFlag } = options;
  const [, kept, where = ''] = /^(env|file):(?!\/\/)(.+)$/s.exec(into) ?? [];
  if (kept === undefined && !/^[a-z0-9+.-]+:\/\//i.test(into))
    return ofInstance(options, env, instance(into));
  if (kept === undefined && into.includes('@'))
    throw new AgentError('usage', `${flag} holds a user or password, which every user of this host can see`, {
      reason: 'secret',
      hint: `keep the URL in a file or variable (${flag} file:PATH, ${flag} env:NAME), or give --username and --password-file; and change that password`,
    });
  const ref = kept === 'env' ? { env: where } : { file: where };
  const text = kept === undefined ? into : readSecret(ref, { env, what: flag }).reveal().trim();
  return ofUrl(options, env, text);
}

function ofInstance(options: IntoOptions, env: NodeJS.ProcessEnv, instance: InstanceSettings): RedisTarget {
  const { into, flag: _, ...others } = options;
  if (Object.values(others).some((value) => value !== undefined))
    throw new AgentError(
      'usage',
      `${into} is an instance of the configuration, which says how to connect to it`,
      {
        hint: 'leave out --username, --password-file and the like, or name a URL',
      },
    );
  const { name, url, username, password, tls, renamed } = instance;
  return {
    name,
    url,
    username,
    tls,
    renamed,
    password: password && readSecret(password, { env, what: `password of instance ${name}` }),
  };
}

function ofUrl(options: IntoOptions, env: NodeJS.ProcessEnv, text: string): RedisTarget {
  const { flag = usualFlag } = options;
  const { scheme, username, password, place } = takeApart(text);
  const url = `${scheme}${place}`;
  if (/^rediss?:\/\/[^/]*\/\d+$/i.test(url))
    throw new AgentError('usage', `${flag} names a database, and keys are of several`, {
      reason: 'url',
      hint: 'leave its number out of the URL, and say --to-db to write into one',
    });
  const problem = redisUrlProblem(url);
  if (problem !== undefined)
    throw new AgentError('usage', `${flag} is no URL of a server: ${problem}`, { reason: 'url' });
  const ref = passwordRef(options);
  const tls = tlsOf(options);
  if (tls !== undefined && !url.startsWith('rediss:'))
    throw new AgentError('usage', 'certificates are for rediss:// only', {
      hint: `write rediss:// in ${flag}`,
    });
  return {
    name: place,
    url,
    username: options.username ?? username,
    password: ref === undefined ? password : readSecret(ref, { env, what: `the password of ${flag}` }),
    tls,
    words: flagWords(flag),
  };
}

/** `rediss://user:password@host:6379/0`, as providers show it. Who gives no user there means the default one. */
function takeApart(text: string): {
  scheme: string;
  username: string | undefined;
  password: Secret | undefined;
  place: string;
} {
  const [, scheme = '', rest = text] = /^([a-z0-9+.-]+:\/\/)(.*)$/is.exec(text) ?? [];
  const at = rest.lastIndexOf('@');
  const place = rest.slice(at + 1).replace(/(?<=.)\/0?$/, '');
  if (at < 0) return { scheme, username: undefined, password: undefined, place };
  const [user = '', ...words] = rest.slice(0, at).split(':');
  const password = decoded(words.join(':'));
  return {
    scheme,
    username: user === '' ? undefined : decoded(user),
    password: password === '' ? undefined : new Secret(password),
    place,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function passwordRef({ passwordFile, passwordEnv }: IntoOptions): SecretRef | undefined {
  if (passwordFile !== undefined) return { file: passwordFile };
  return passwordEnv === undefined ? undefined : { env: passwordEnv };
}

function tlsOf({ caFile, certFile, keyFile, serverName }: IntoOptions): TlsSettings | undefined {
  if ([caFile, certFile, keyFile, serverName].every((value) => value === undefined)) return undefined;
  return { ca: caFile, cert: certFile, key: keyFile, server_name: serverName };
}
