import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { expect, onTestFinished } from 'vitest';
import { runCli } from '../../../src/cli/run.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { handsProgram } from './hands-program.ts';
import { agentFromSources, agentProgram } from './agent-program.ts';
import { knownSecrets } from './known-secrets.ts';
import { hasEnded } from '../servers/owned-process.ts';
import type { TestServer } from '../servers/redis-server.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';

export { knownSecrets };

export interface ConfigOptions {
  /** An instance `main` of this server, or the instances themselves. */
  server?: Pick<TestServer, 'url'>;
  instances?: Record<string, unknown>[];
  /** Of the instance `main`. */
  password?: string;
  username?: string;
  /** Replaces the folder `repository` as the place of backups. */
  repository?: Record<string, unknown>;
  /** Artefacts are stored uncompressed. */
  uncompressed?: boolean;
  /** age: recipients, and the secret key, where this host has one. */
  encryption?: { recipients: string[]; identity?: string };
  /** More sections, as in config.yaml. */
  settings?: Record<string, unknown>;
}

/** A temporary folder with config.yaml, secrets, repository and state; it ends with the test. */
export interface TestConfig {
  folder: string;
  /** config.yaml */
  path: string;
  repository: string;
  state: string;
  /** Writes a file that only its owner may read, and sees to it that its content is never shown. */
  secret(name: string, value: string): { file: string };
  /** Writes config.yaml anew, in the same folder. */
  rewrite(options: ConfigOptions): void;
}

/** `keep`: the caller removes the folder (removeTempFolder), since no test runs that could end. */
export function writeConfig(options: ConfigOptions, { keep = false } = {}): TestConfig {
  const folder = makeTempFolder();
  if (!keep) onTestFinished(() => removeTempFolder(folder));
  mkdirSync(join(folder, 'secrets'), { mode: 0o700 });
  const config: TestConfig = {
    folder,
    path: join(folder, 'config.yaml'),
    repository: join(folder, 'repository'),
    state: join(folder, 'state'),
    secret(name, value) {
      const file = join(folder, 'secrets', name);
      for (const line of value.split('\n')) if (!line.startsWith('#') && line !== '') knownSecrets.add(line);
      writeFileSync(file, `${value}\n`, { mode: 0o600 });
      return { file };
    },
    rewrite(next) {
      // JSON is YAML too.
      writeFileSync(config.path, JSON.stringify(settingsOf(config, next), undefined, 2), { mode: 0o600 });
    },
  };
  config.rewrite(options);
  return config;
}

function settingsOf(config: TestConfig, options: ConfigOptions): Record<string, unknown> {
  const { server, username, password, encryption } = options;
  const main = {
    name: 'main',
    url: server?.url ?? 'redis://127.0.0.1:1',
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: config.secret('main', password) }),
  };
  const identity = encryption?.identity;
  return {
    instances: options.instances ?? [main],
    repository: {
      ...(options.repository ?? { type: 'filesystem', path: 'repository' }),
      ...(options.uncompressed === true ? { compression: 'none' } : {}),
      ...(encryption && {
        encryption: {
          age_recipients: encryption.recipients,
          ...(identity === undefined ? {} : { age_identity: config.secret('identity', identity) }),
        },
      }),
    },
    state: { path: 'state' },
    ...options.settings,
  };
}

export interface AgentResult {
  code: number;
  stdout: string;
  stderr: string;
  /** The document on stdout, with --json. */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the command documents
  json: any;
}

export interface AgentOptions {
  config?: TestConfig | undefined;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** The machine's when left out. */
  clock?: Clock;
  /** Stdin, stdout and stderr are a terminal; the text is what somebody types. Several: an answer to each question. */
  terminal?: string | string[];
  /** What stdin brings. */
  input?: Uint8Array;
  /** Sees what is written to stderr as it is written. */
  onStderr?: (text: string) => void;
}

/** Runs one command line in this process. Every result is held to what holds for all of them. */
export async function runAgent(args: string[], options: AgentOptions = {}): Promise<AgentResult> {
  const terminal = options.terminal !== undefined;
  const output = { stdout: '', stderr: '' };
  const answers = Array.isArray(options.terminal) ? [...options.terminal] : [];
  const answer = (): void => {
    const next = answers.shift();
    if (next !== undefined) stdin.write(`${next}\n`);
  };
  const sink = (name: keyof typeof output): Writable & { isTTY: boolean } => {
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        output[name] += chunk.toString();
        if (name === 'stderr') {
          options.onStderr?.(chunk.toString());
          if (/[?:)\]] $/.test(chunk.toString())) answer();
        }
        done();
      },
    });
    return Object.assign(stream, { isTTY: terminal });
  };
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal });
  if (typeof options.terminal === 'string') stdin.write(options.terminal);
  if (options.input !== undefined) stdin.end(options.input);
  const code = await runCli(withConfig(args, options.config), {
    clock: options.clock ?? systemClock,
    env: options.env ?? {},
    program: handsProgram(),
    stdin,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    signal: options.signal ?? new AbortController().signal,
    cut: new AbortController().signal,
  });
  return judged(args, { code, ...output }, terminal);
}

export interface SpawnOptions {
  config?: TestConfig | undefined;
  env?: NodeJS.ProcessEnv;
  /** As the user nobody; only root can. */
  nobody?: boolean;
  /** Nobody reads its stderr: the terminal was closed. */
  unread?: boolean;
  /** Its stdout goes to a full disk. */
  full?: boolean;
  /** scripts/redis-agent, and not the bundle. */
  fromSources?: boolean;
}

/** An agent in a process of its own, killed with the test. */
export interface SpawnedAgent {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  kill(signal: NodeJS.Signals): void;
  /** `code` is -1 when a signal ended it. */
  readonly ended: Promise<AgentResult>;
}

/** Starts the agent: the bundle of this run. */
export function spawnAgent(
  args: string[],
  { config, env, nobody, unread, full, fromSources }: SpawnOptions = {},
): SpawnedAgent {
  if (nobody === true && config !== undefined) openWay(config.folder);
  const user = nobody === true ? ['--reuid', '65534', '--regid', '65534', '--clear-groups'] : [];
  const program = fromSources === true ? agentFromSources : agentProgram();
  const words = ['--pdeathsig', 'KILL', ...user, ...program, ...withConfig(args, config)];
  const disk = full === true ? openSync('/dev/full', 'w') : undefined;
  const child = spawn('setpriv', words, {
    stdio: ['ignore', disk ?? 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  if (disk !== undefined) closeSync(disk);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  if (unread === true) child.stderr?.destroy();
  const { pid } = child;
  if (pid === undefined) throw new Error('setpriv could not be started');
  const ended = once(child, 'close').then(([code]: (number | null)[]) =>
    judged(args, { code: code ?? -1, ...output }, false),
  );
  ended.catch(() => {});
  onTestFinished(async () => {
    if (!hasEnded(child)) child.kill('SIGKILL');
    await ended;
  });
  return {
    pid,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

function withConfig(args: string[], config: TestConfig | undefined): string[] {
  return config === undefined ? args : ['--config', config.path, ...args];
}

/** Lets everybody pass through the folders above, which are ours alone. */
function openWay(folder: string): void {
  for (let each = folder; (statSync(each).mode & 0o001) === 0; each = dirname(each)) chmodSync(each, 0o711);
}

/** What holds for every output: no secret, no control character, no defect, one document under --json. */
function judged(args: string[], result: Omit<AgentResult, 'json'>, terminal: boolean): AgentResult {
  const all = result.stdout + result.stderr;
  for (const secret of knownSecrets)
    if (all.includes(secret)) throw new Error(`${args.join(' ')} shows a secret: ${all}`);
  expect(all).not.toContain('this is a defect');
  if (!terminal) expect(all.replaceAll(/\r?\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  const json: unknown = args.includes('--json') && result.code >= 0 ? parsed(args, result.stdout) : undefined;
  return { ...result, json };
}

/** One document; of a watch one for each look, a line each. That of a connection tells all in the end. */
function parsed(args: string[], stdout: string): unknown {
  if (!args.includes('--watch') || args.includes('--connection')) return JSON.parse(stdout);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** Takes a backup that must succeed; returns its id. */
export async function takeBackup(config: TestConfig, ...args: string[]): Promise<string> {
  const { code, stdout, json } = await runAgent(['backup', '--json', ...args], { config });
  if (code !== 0) throw new Error(`the backup failed: ${stdout}`);
  return json.backup.id;
}

/** Copies a stored backup under another id, manifest and all. */
export function copyBackup(config: TestConfig, from: string, to: string): void {
  cpSync(join(config.repository, 'main', from), join(config.repository, 'main', to), { recursive: true });
  editManifest(config, to, (manifest) => {
    manifest.id = to;
  });
}

/** The ids below `main` in a filesystem repository, whatever their state. */
export function idsIn(config: TestConfig, instance = 'main'): string[] {
  try {
    // Beside the backups lies what the fleet's view reads.
    return readdirSync(join(config.repository, instance))
      .filter((name) => name !== 'status')
      .toSorted();
  } catch {
    return [];
  }
}

/** Where a backup's manifest is stored. */
export function manifestPath(config: TestConfig, id: string): string {
  return join(config.repository, 'main', id, 'manifest.json');
}

/** Replaces parts of a stored manifest. */
export function editManifest(
  config: TestConfig,
  id: string,
  edit: (manifest: EditableManifest) => void,
): void {
  const path = manifestPath(config, id);
  const manifest: EditableManifest = JSON.parse(readFileSync(path, 'utf8'));
  edit(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

/** Loose on purpose: tests write into it what must not be there. */
// oxlint-disable-next-line typescript/no-explicit-any -- as said
export type EditableManifest = any;

/**
 * Can a test run the agent as another user? That takes root, and a Node that others may reach: one in a checkout below a
 * folder such as /root they could not even start. scripts/test sees to that.
 */
export const canBeNobody =
  process.geteuid?.() === 0 &&
  foldersAbove(process.execPath).every((place) => (statSync(place).mode & 0o001) !== 0);

function foldersAbove(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersAbove(above)];
}
