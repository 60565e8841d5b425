import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { InitOptions } from '../../../src/app/init/report.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { connectRedis, type RedisConnection } from '../../../src/redis/connection/connect.ts';
import { knownSecrets, runAgent, type AgentResult } from './cli.ts';
import { narrowProc } from '../servers/narrow-proc.ts';
import type { TestServer } from '../servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

/** The agent's user, unless a test asks for another. */
export const agentUser = 'redis-agent';

/** Where init may write; it ends with the test. */
export class Place {
  readonly folder = makeTempFolder();
  readonly config = join(this.folder, 'etc/redis-agent/config.yaml');
  readonly secrets = join(this.folder, 'etc/redis-agent/secrets');
  readonly state = join(this.folder, 'var');

  constructor() {
    onTestFinished(() => removeTempFolder(this.folder));
  }

  async init(server: Pick<TestServer, 'url'>, ...args: string[]): Promise<AgentResult> {
    return await this.run('init', '--state', this.state, '--url', server.url, ...args);
  }

  async run(...args: string[]): Promise<AgentResult> {
    const result = await runAgent(['--config', this.config, ...args]);
    for (const name of this.files(this.secrets))
      if (existsSync(join(this.secrets, name))) knownSecrets.add(this.password(name));
    // runAgent could not know those that are new.
    for (const secret of knownSecrets)
      if ((result.stdout + result.stderr).includes(secret))
        throw new Error(`${args.join(' ')} shows a secret`);
    return result;
  }

  /** Without the command line: for what a command line cannot say. */
  options(options: Partial<InitOptions>): InitOptions {
    return {
      config: this.config,
      state: this.state,
      repository: join(this.state, 'repository'),
      urls: [],
      admin: {},
      user: agentUser,
      createUser: true,
      force: false,
      dryRun: false,
      // No test looks at the servers of others.
      proc: narrowProc([]),
      signal: new AbortController().signal,
      ...options,
    };
  }

  password(name = 'main'): string {
    return readFileSync(join(this.secrets, name), 'utf8').trim();
  }

  async asAgent(server: Pick<TestServer, 'url'>, name = 'main'): Promise<RedisConnection> {
    const password = new Secret(this.password(name));
    const connection = await connectRedis({ name, url: server.url, username: agentUser, password });
    onTestFinished(() => connection.close());
    return connection;
  }

  secret(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  }

  files(folder = this.folder): string[] {
    return existsSync(folder) ? readdirSync(folder).toSorted() : [];
  }
}

/** ACL LIST with the words of each line in one order: servers shuffle them, and add sanitize-payload, the default. */
export async function listUsers(server: TestServer): Promise<string[]> {
  const lines = await server.call('ACL', 'LIST');
  if (!Array.isArray(lines)) throw new Error('ACL LIST gave no list');
  return lines.map((line) => {
    const [, name = '', ...words] = String(line)
      .split(' ')
      .filter((word) => word !== 'sanitize-payload');
    return ['user', name, ...words.toSorted()].join(' ');
  });
}

/** The names alone. */
export async function userNames(server: TestServer): Promise<string[]> {
  return (await listUsers(server)).map((line) => line.split(' ')[1] ?? '');
}

/** The AgentError with which it fails. */
export async function failureOf(promise: Promise<unknown>): Promise<AgentError> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof AgentError) return failure;
  throw new Error(`no AgentError, but ${String(failure)}`);
}
