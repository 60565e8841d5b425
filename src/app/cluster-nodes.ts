import { AgentError } from '../domain/errors.ts';
import type { InstanceSettings, Settings } from '../domain/settings.ts';
import { printable } from '../lib/text/printable.ts';
import type { ClusterMaster } from '../redis/cluster.ts';

/** Between the name of an instance and where another node of its cluster is. */
const between = '-node-';

/**
 * A node of an instance's cluster as an instance of its own, with a prefix of its own in the repository: the one that is
 * configured at its address; else one that has that instance's credentials, and a name that tells where it is.
 */
export function nodeInstance(
  { instances }: Pick<Settings, 'instances'>,
  instance: InstanceSettings,
  { myself, url }: Pick<ClusterMaster, 'myself' | 'url'>,
): InstanceSettings {
  if (myself) return instance;
  const configured = instances.find((other) => sameAddress(other.url, url));
  if (configured !== undefined) return configured;
  const { hostname, port } = new URL(url);
  const host = encoded(hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase());
  // What a server names becomes a folder.
  if (!/^[a-z0-9_-]{1,200}$/.test(host))
    throw new AgentError('redis', `instance ${instance.name}: its cluster names a node ${printable(url)}`, {
      reason: 'address',
      hint: 'see CLUSTER NODES, and cluster-announce-ip or -hostname of that node',
    });
  return at(instance, `${host}__${port === '' ? '6379' : port}`, url);
}

/** The instance that such a name is of; undefined for any other name. */
export function instanceOfNode(
  { instances }: Pick<Settings, 'instances'>,
  name: string,
): InstanceSettings | undefined {
  const instance = instances.find((each) => name.startsWith(each.name + between));
  if (instance === undefined) return undefined;
  const place = name.slice(instance.name.length + between.length);
  const [, host, port] = /^([a-z0-9_-]+)__(\d{1,5})$/.exec(place) ?? [];
  if (host === undefined) return undefined;
  const decoded = host.replaceAll('__', ':').replaceAll('_', '.');
  const scheme = instance.url.startsWith('rediss:') ? 'rediss' : 'redis';
  const url = `${scheme}://${decoded.includes(':') ? `[${decoded}]` : decoded}:${port}`;
  return URL.canParse(url) ? at(instance, place, url) : undefined;
}

/** How its server is started and where its files are is another matter for each node. */
function at(instance: InstanceSettings, place: string, url: string): InstanceSettings {
  const { name, username, password, tls, tools, renamed, role } = instance;
  return { name: name + between + place, url, username, password, tls, tools, renamed, role };
}

/** Such a name is a folder in the repository, and an instance has neither `.` nor `:` in it. */
function encoded(host: string): string {
  return host.replaceAll(':', '__').replaceAll('.', '_');
}

function sameAddress(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  return a.protocol === b.protocol && a.hostname === b.hostname && (a.port || '6379') === (b.port || '6379');
}
