import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ChannelTools } from '../alert/channels/channel.ts';
import type { Repository } from '../backup/repository.ts';
import type { Store } from '../backup/store/store.ts';
import { readWriterIdentity } from '../backup/writer-identity.ts';
import { loadSettings, type LoadedSettings } from '../config/load.ts';
import { redactText } from '../config/redact.ts';
import { readSecret } from '../config/secrets.ts';
import type { Clock } from '../domain/clock.ts';
import { AgentError, messageOf } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import type { Progress } from '../domain/progress.ts';
import type { Secret, SecretRef } from '../domain/secret.ts';
import type { InstanceSettings, Settings } from '../domain/settings.ts';
import { localConsumers } from '../jobs/harden/rotate/local-consumers.ts';
import { watchBackupsJob } from '../jobs/backup/watch-backups.ts';
import type { Job, JobContext } from '../jobs/job.ts';
import { actAs } from '../lib/process/act-as.ts';
import { isCounter } from '../domain/metrics.ts';
import { connectRedis, type ConnectOptions, type RedisConnection } from '../redis/connection/connect.ts';
import { localTimezone } from '../lib/time/timezone.ts';

import { openState, type State } from '../state/db/open.ts';
import { openSeries, type Series } from '../state/series/series.ts';
import { lastDetails } from '../state/runs.ts';
import { Lifecycle } from './lifecycle.ts';
import { becomeUser, ownerBesideRoot } from './beside-root.ts';
import { chooseInstance } from './choose-instance.ts';
import { hostsOf } from './hosts-of.ts';
import { linkMaker } from './links/make-link.ts';
import { openStore } from './open-store.ts';
import { runJob } from './run/run-job.ts';
import type { SwitchLink } from './switch/link.ts';
import { agentVersion } from './version.ts';

export interface AppOptions {
  configPath: string | undefined;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  log: Log;
  /** Where read secrets are noted, so that the log can mask them. */
  secrets: Secret[];
  /** Settings that were validated before, and where they were read. */
  loaded?: LoadedSettings | undefined;
  /** Run by root it stays root, for what nobody else may do; its own files are still the daemon's. */
  keepRoot?: boolean;
  /** Program and arguments that start this agent, less its command. */
  program: readonly string[];
  /** Root's side of this command, where we have given root up for it. */
  link?: SwitchLink | undefined;
}

export interface RunOptions {
  signal: AbortSignal;
  progress: Progress;
  /** How long to wait for a run of another job that holds the lock, milliseconds. 0 when left out. */
  patience?: number;
}

/** The agent, put together. Nothing is opened before it is asked for. */
export interface App {
  readonly settings: Settings;
  readonly configPath: string;
  readonly clock: Clock;
  readonly log: Log;
  /** By name; the only one when there is one and none is named. Throws an AgentError `usage`. */
  instance(name: string | undefined): InstanceSettings;
  /** That one, or all of them when none is named. */
  instances(name: string | undefined): InstanceSettings[];
  /** The abort of the signal ends the connection, and the wait for it. */
  connect(
    instance: InstanceSettings,
    signal: AbortSignal,
    limits?: Omit<ConnectOptions, 'signal'>,
  ): Promise<RedisConnection>;
  repository(instance: InstanceSettings): Promise<Repository>;
  /** Where the backups of all instances lie, of this host and of others. */
  store(): Promise<Store>;
  /** age keys that backups can be decrypted with; none where none is configured. */
  identities(): string[];
  /** Reads it; the log masks it from then on. `what` names it in errors. */
  secret(ref: SecretRef, what: string): Secret;
  state(): State;
  /** What was measured. */
  series(): Series;
  /** When this process last came to the end of looking at an instance, whatever it found; milliseconds since the epoch. */
  lastLooked(instance: string): number | undefined;
  /** What findings are recorded with. */
  sink(): { state: State; clock: Clock; log: Log };
  /** What channels are opened with. */
  channelTools(): ChannelTools;
  /** Text without any secret that was read. */
  redact(this: void, text: string): string;
  run<Options, Value>(
    job: Job<Options, Value>,
    instance: InstanceSettings,
    options: Options,
    run: RunOptions,
  ): Promise<Value>;
  /** From here on with the rights of the state's owner, where `keepRoot` has kept others. There is no way back. */
  leaveRoot(): void;
  close(): Promise<void>;
}

/** The composition root: reads the configuration and wires the rooms together. */
export async function buildApp({
  configPath,
  env,
  clock,
  log,
  secrets,
  loaded,
  keepRoot = false,
  program,
  link,
}: AppOptions): Promise<App> {
  // With every job behind it, which help and the version need not wait for.
  const { rules } = await import('./rules.ts');
  const { settings, path } =
    loaded ?? (await loadSettings(configPath, { env, rules: rules.map(({ id }) => id) }));
  const lifecycle = new Lifecycle({ clock, log });
  const directory = settings.state.path;
  const owner = ownerBesideRoot(directory);
  if (owner !== undefined && !keepRoot) becomeUser(owner, directory, log);
  let stayed = keepRoot ? owner : undefined;

  const secret = (ref: SecretRef, what: string): Secret => {
    const value = readSecret(ref, { env, what });
    if (!secrets.some((known) => known.reveal() === value.reveal())) secrets.push(value);
    return value;
  };
  const state = once(() => {
    const opened = actAs(stayed, () => openState(directory, { clock, log }));
    lifecycle.add('state', () => opened.close());
    return opened;
  });
  const series = once(() => {
    const opened = actAs(stayed, () => openSeries(directory, { clock, log, isCounter }));
    lifecycle.add('series', () => opened.close());
    return opened;
  });
  const store = onceDone(async () => {
    const opened = await openStore(settings.repository, { secret, clock, env });
    lifecycle.add('store', () => opened.close());
    return opened;
  });
  const repository = async (instance: InstanceSettings): Promise<Repository> => {
    // Validates manifests with zod, which help and the version need not wait for.
    const { openRepository } = await import('../backup/repository.ts');
    return openRepository(await store(), instance.name, clock);
  };
  const hostOf = hostsOf({ link, program, clock, lifecycle });
  const identities = (): string[] => {
    const { age_identity: identity } = settings.repository.encryption;
    return identity === undefined ? [] : identitiesOf(secret(identity, 'repository.encryption.age_identity'));
  };
  const connect: App['connect'] = async (instance, signal, limits) => {
    const { name, url, username, password, tls, renamed, data_dir: dataDir } = instance;
    const known = password === undefined ? undefined : secret(password, `password of instance ${name}`);
    return connectRedis(
      { name, url, username, tls, renamed, dataDir, password: known },
      { ...limits, signal },
    );
  };

  const recall = (instance: string, job: string): unknown[] => {
    try {
      return lastDetails(state(), instance, job, recalled);
    } catch (error) {
      // Nothing hangs on history.
      log.warn({ instance, job, cause: messageOf(error) }, 'cannot read the state database');
      return [];
    }
  };

  const looked = new Map<string, number>();

  return {
    settings,
    configPath: path,
    clock,
    log,
    instance: (name) => chooseInstance(settings, name),
    instances: (name) => (name === undefined ? settings.instances : [chooseInstance(settings, name)]),
    connect,
    repository,
    store,
    identities,
    secret,
    state,
    series,
    lastLooked: (name) => looked.get(name),
    sink: () => ({ state: state(), clock, log }),
    channelTools: () => ({
      secret,
      context: {
        host: hostname(),
        timezone: settings.timezone ?? localTimezone(),
        publicUrl: settings.alerts.public_url,
        link: linkMaker(settings.alerts, directory, log),
      },
      now: () => clock.now(),
    }),
    redact: (text) => redactText(text, secrets),
    async run(job, instance, options, { signal, progress, patience }) {
      const prepare = async (own: Pick<JobContext, 'log' | 'signal'>): Promise<JobContext> => {
        const opened = job.uses.includes('repository') ? await repository(instance) : undefined;
        return {
          instance,
          settings,
          get repository() {
            if (opened === undefined) throw new Error(`the job ${job.name} does not declare the repository`);
            return opened;
          },
          openRepository: () => repository(instance),
          writer: readWriterIdentity(agentVersion),
          connect: (other = own.signal) => connect(instance, other),
          connectTo: (other) => connect(other, own.signal),
          ...hostOf(instance, own.signal),
          hostOf: (other) => hostOf(other, own.signal),
          consumers: link?.consumers ?? localConsumers,
          identities,
          scratch: stayed === undefined ? join(directory, 'scratch') : rootScratch,
          recall: (name) => recall(instance.name, name),
          state,
          series,
          clock,
          progress,
          ...own,
        };
      };
      const runner = { state: state(), stateDirectory: directory, clock, log, owner: stayed };
      const value = await runJob(
        runner,
        job,
        { instance: instance.name, signal, prepare, patience },
        options,
      );
      if (job.name === watchBackupsJob.name) looked.set(instance.name, clock.now());
      return value;
    },
    leaveRoot() {
      if (stayed !== undefined) becomeUser(stayed, directory, log);
      stayed = undefined;
    },
    close: () => lifecycle.stop(),
  };
}

/** An identity file of age-keygen: comments, then one key a line. */
function identitiesOf(file: Secret): string[] {
  const identities = file
    .reveal()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  if (identities.length > 0) return identities;
  throw new AgentError('usage', 'repository.encryption.age_identity holds no AGE-SECRET-KEY-… line', {
    hint: 'it takes what age-keygen writes, in the clear',
  });
}

/** Runs that a job may look back at. */
const recalled = 20;

/** Scratch servers and their folders of a root that stays root: in a folder of the daemon's it could be led astray. */
const rootScratch = '/run/redis-agent-restore';

/** Asked for again after a failure: a daemon outlives a store that was away when it was first needed. */
function onceDone<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
