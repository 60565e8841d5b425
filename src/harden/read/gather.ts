import { statSync } from 'node:fs';
import type { InstanceSettings, RepositorySettings } from '../../domain/settings.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import type { AgentFacts, AuditFacts, FileFacts, HostFacts, Seen } from '../facts.ts';
import { seen } from '../facts.ts';
import { readerAs } from '../../lib/files/file-reader.ts';
import { tryTls, tryWithoutPassword } from './probe.ts';
import { readFiles } from './read-files.ts';
import { readHost, type ServerOnHost } from './read-host.ts';
import { readPeers, type PeerOptions } from './read-peers.ts';
import { readServer } from './read-server.ts';

export interface GatherOptions {
  instance: InstanceSettings;
  /** All instances: the same secret reference is the same password. */
  instances: readonly InstanceSettings[];
  repository: RepositorySettings;
  /** Users who are no applications, by configuration. */
  staff: string[];
  now: number;
  lastSeen: AuditFacts['lastSeen'];
  certificateDays: AuditFacts['certificateDays'];
  signal: AbortSignal;
  connectTo: PeerOptions['connectTo'];
}

/** Everything that can be seen of a running server, its files and its host. Changes nothing. */
export async function gatherFacts(connection: RedisConnection, options: GatherOptions): Promise<AuditFacts> {
  const { instance, now, signal } = options;
  const { facts: server, engine } = await readServer(connection, instance.username);
  const config = server.config.value;
  const host = await readHost(server.info, instance.url, engine, config, signal);
  const [unauthenticated, certificate, peers] = await Promise.all([
    tryWithoutPassword(instance, signal),
    tryTls(
      instance,
      host?.sameFiles === true ? config?.get('tls-cert-file') : undefined,
      readerAs(host?.user),
    ),
    readPeers(server.info, server.cluster, options),
  ]);
  return {
    instance: instance.name,
    now,
    mode: 'server',
    engine: { ...engine, docker: host?.facts.container === true },
    engineKnown: true,
    role: instance.role,
    server: seen({ ...server, unauthenticated, certificate, peers }),
    files: filesOf(server.info.get('config_file'), host, engine),
    host: hostOf(host, instance),
    agent: agentFacts(options),
    lastSeen: options.lastSeen,
    certificateDays: options.certificateDays,
  };
}

function hostOf(host: ServerOnHost | undefined, { url }: InstanceSettings): Seen<HostFacts> {
  if (host !== undefined) return seen(host.facts);
  return isNear(url)
    ? { missing: 'its process (it runs in a container, or as somebody whose processes are hidden)' }
    : { absent: 'it runs on another host' };
}

function isNear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'unix:' || /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function filesOf(
  path: string | undefined,
  host: ServerOnHost | undefined,
  engine: AuditFacts['engine'],
): Seen<FileFacts> {
  if (path === undefined || path === '') return { absent: 'it was started without a configuration file' };
  if (host === undefined) return { missing: `${path}, which lies on another host or in a container` };
  if (!host.sameFiles) return { missing: `${path}, which lies in a container` };
  const files = readFiles(path, { engine, as: host.user, alone: false, memory: host.facts.memory });
  const [problem] = files.problems;
  // Without the first file there is nothing to compare.
  if (files.paths.length === 0)
    return { missing: `${problem?.path ?? path}: ${problem?.why ?? 'it cannot be read'}` };
  return seen(files);
}

function agentFacts({ instance, instances, repository, staff }: GatherOptions): AgentFacts {
  const mark = instance.password === undefined ? undefined : JSON.stringify(instance.password);
  return {
    username: instance.username,
    passwordMark: mark,
    samePassword: instances
      .filter(
        (other) =>
          other.name !== instance.name && mark !== undefined && JSON.stringify(other.password) === mark,
      )
      .map(({ name }) => name),
    repository: seen({
      type: repository.type,
      device: repository.type === 'filesystem' ? deviceOf(repository.path) : undefined,
      encrypted: repository.encryption.age_recipients.length > 0,
      path: repository.type === 'filesystem' ? repository.path : undefined,
    }),
    staff,
  };
}

function deviceOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.dev;
}
