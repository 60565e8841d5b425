import { redisUrlProblem } from '../../config/redis-url.ts';
import { AgentError } from '../../domain/errors.ts';
import { findServers, type FoundServer, type PassedOver } from '../../redis/process/find-servers.ts';
import { inspectServer, type Inspected } from './inspect.ts';
import type { InitOptions } from './report.ts';

/** The servers that were named, else those of this host. Rejects when there is none. */
export async function lookForServers({
  urls,
  proc,
}: InitOptions): Promise<{ servers: (FoundServer | string)[]; passedOver: PassedOver[] }> {
  for (const url of urls) {
    const problem = redisUrlProblem(url);
    if (problem !== undefined) throw new AgentError('usage', `--url: ${problem}`);
  }
  if (urls.length > 0) return { servers: urls, passedOver: [] };
  const found = await findServers(proc === undefined ? {} : { proc });
  if (found.servers.length > 0) return found;
  const others = found.passedOver.map(({ pid, why }) => ` (process ${pid}: ${why})`).join('');
  throw new AgentError('failed', `no Redis or Valkey server was found on this host${others}`, {
    reason: 'nothing-found',
    hint: 'say where it is: --url redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH/OF/SOCKET',
  });
}

/** All or none: a configuration that leaves out a server would look complete. */
export async function inspectAll(
  servers: (FoundServer | string)[],
  options: InitOptions,
): Promise<Inspected[]> {
  const outcomes = await Promise.allSettled(servers.map((server) => inspectServer(server, options)));
  const inspected = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  if (failures.length > 0) {
    for (const { connection } of inspected) connection?.close();
    throw failures.find((failure) => !(failure instanceof AgentError)) ?? joined(failures, servers.length);
  }
  // By two addresses to the same server.
  const isFirst = ({ runId }: Inspected, index: number): boolean =>
    runId === undefined || inspected.findIndex((other) => other.runId === runId) === index;
  return inspected.filter((server, index) => {
    if (!isFirst(server, index)) server.connection?.close();
    return isFirst(server, index);
  });
}

function joined(failures: unknown[], servers: number): unknown {
  const [first, ...others] = failures.filter((failure) => failure instanceof AgentError);
  if (first === undefined || (others.length === 0 && servers === 1)) return first;
  const lines = [first, ...others].map(({ message, hint }) => `${message}; ${hint ?? ''}`);
  lines.push('Nothing was changed. To leave servers out, name the others with --url.');
  return first.retold(lines.join('\n'), null);
}
