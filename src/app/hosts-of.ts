import { localHost } from '../backup/restore/host/local-host.ts';
import type { Hands } from '../backup/restore/host/hands.ts';
import type { Clock } from '../domain/clock.ts';
import type { InstanceSettings } from '../domain/settings.ts';
import { localServerFiles } from '../harden/apply/server-files.ts';
import { readFirewall } from '../harden/read/firewall.ts';
import type { HostPart, JobContext } from '../jobs/job.ts';
import type { AskedHands } from './hands/ask.ts';
import { provideHands } from './hands/hands.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { SwitchLink } from './switch/link.ts';
import { switchHost } from './switch/switch-host.ts';

interface Around {
  link: SwitchLink | undefined;
  program: readonly string[];
  clock: Clock;
  lifecycle: Lifecycle;
}

/**
 * The host of an instance, as jobs work with it: by this process, or by others where it has a link to root. Who is started
 * for that ends with the agent.
 */
export function hostsOf({
  link,
  program,
  clock,
  lifecycle,
}: Around): (instance: InstanceSettings, signal: AbortSignal) => HostPart & Pick<JobContext, 'firewall'> {
  if (link === undefined) {
    let provided: Hands | undefined;
    const hands = (): Hands => {
      if (provided !== undefined) return provided;
      const made = provideHands(program);
      lifecycle.add('hands', () => made.close());
      return (provided = made);
    };
    return (instance, signal) => ({
      host: localHost({ instance, hands: hands(), clock, signal }),
      serverFiles: localServerFiles,
      firewall: async () => await readFirewall(signal),
    });
  }
  const started = new Map<string, AskedHands>();
  lifecycle.add('hands', async () => {
    await Promise.all([...started.values()].map((each) => each.close()));
  });
  return ({ name }, signal) => {
    const { serverFiles, ...host } = switchHost(link, name, started);
    const firewall = link.firewall ?? (async () => await readFirewall(signal));
    return { host, serverFiles, firewall };
  };
}
