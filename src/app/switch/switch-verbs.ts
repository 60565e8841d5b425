import type { Server, Socket } from 'node:net';
import { serialize } from 'node:v8';
import type { UserId } from '../../lib/process/act-as.ts';
import { localHost } from '../../backup/restore/host/local-host.ts';
import type { HostSight, RestoreHost } from '../../backup/restore/host/host.ts';
import { requireServiceUser } from '../../backup/restore/require-owner.ts';
import type { LoadedSettings } from '../../config/load.ts';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { serves } from '../../redis/process/data-process.ts';
import { findServers } from '../../redis/process/find-servers.ts';
import { reserveLowPort } from '../../redis/replication/low-port.ts';
import type { ServiceControl } from '../../redis/service/service.ts';
import { chooseInstance } from '../choose-instance.ts';
import { startHands, type HandsProcess } from '../hands/start.ts';

export interface SwitchOptions {
  /** The configuration as root has read it. */
  loaded: LoadedSettings;
  program: readonly string[];
  clock: Clock;
  signal: AbortSignal;
  /** Hands a socket over under that number; ours is closed when it resolves, and nothing was read from it. */
  hand: (number: number, socket: Socket | Server) => Promise<void>;
}

interface Known {
  host: RestoreHost;
  sight: HostSight;
  control: ServiceControl | undefined;
}

/**
 * What root does for a mind that has given root up. Which unit, which user and which processes, root finds by the
 * configuration, the units and the kernel: the mind says for which instance, and in which folder the server works.
 */
// oxlint-disable-next-line typescript/explicit-function-return-type -- who asks for them takes their types from here
export function switchVerbs({ loaded, program, clock, signal, hand }: SwitchOptions) {
  const instance = (name: string): InstanceSettings => chooseInstance(loaded.settings, name);
  const instances = new Map<string, Known>();
  const processes: HandsProcess[] = [];
  let handed = 0;
  const known = (name: string): Known => {
    const found = instances.get(name);
    if (found === undefined) throw new Error(`${name} was not looked at`);
    return found;
  };
  const control = (name: string): ServiceControl => {
    const { control: found } = known(name);
    if (found === undefined) throw new Error(`nothing stops ${name}`);
    return found;
  };
  const verbs = {
    /** Who runs this may have named a file that the daemon's user may not read. Secrets are named in it, and not written. */
    settings: (): Uint8Array => serialize(loaded),
    async look(name: string, fields: [string, string][] | null): Promise<HostSight> {
      const settings = instance(name);
      const host = localHost({ instance: settings, hands: nobody, clock, signal });
      const sight = await host.look(fields === null ? undefined : new Map(fields));
      instances.set(name, { host, sight, control: instances.get(name)?.control });
      return sight;
    },
    processesIn: async (name: string, dir: string) => await known(name).host.processesIn(dir),
    async end(name: string, dir: string, how: string) {
      return await known(name).host.end(dir, how === 'SIGKILL' ? 'SIGKILL' : 'SIGTERM');
    },

    /** Who works in its folders; resolves with the number of the socket. */
    async openHands(name: string): Promise<number> {
      const started = startHands(program, userOf(name, known(name).sight));
      processes.push(started);
      await hand(++handed, started.channel);
      return handed;
    },
    async reservePort(): Promise<number | null> {
      const server = await reserveLowPort();
      if (server === undefined) return null;
      await hand(++handed, server);
      return handed;
    },

    take(name: string, { dir, startIn }: { dir: string; startIn: string }): void {
      const found = known(name);
      found.control = found.host.control({
        dir,
        user: userOf(name, found.sight),
        startIn: () => startIn,
        end: () => Promise.reject(new Error('who asks for it ends it')),
        readOutput: async () => '',
      });
    },
    stop: async (name: string) => await control(name).stop(onward),
    start: async (name: string) => await control(name).start(onward),
    failure: async (name: string) => (await control(name).failure()) ?? null,
    output: async (name: string) => await control(name).output(),
    release: async (name: string) => await control(name).release(),
  };
  return {
    verbs,
    /** Of the instances that were looked at, those whose server is not up. */
    async down(this: void): Promise<string[]> {
      const { servers } = await findServers();
      const isUp = ({ url }: InstanceSettings): boolean =>
        servers.some(({ addresses }) => addresses.some((address) => serves(address, url)));
      return [...instances.keys()].filter((name) => !isUp(instance(name)));
    },
    /** When the mind has gone: what holds the units is given back, and nobody works in a folder any more. */
    async close(this: void): Promise<void> {
      try {
        await Promise.all([...instances.values()].map(async (each) => await each.control?.release()));
      } finally {
        await Promise.all(processes.map((each) => each.ended()));
      }
    },
  };
}

export type SwitchVerbs = ReturnType<typeof switchVerbs>['verbs'];

/** Throws where nobody knows whose the server is, as root does. */
function userOf(name: string, { user }: HostSight): UserId {
  return requireServiceUser({ instance: name, user, running: undefined });
}

/** What has begun is not left half way. */
const onward = new AbortController().signal;

/** Root works in nobody's folder. */
const nobody = {
  openFolder: () => Promise.reject(new AgentError('failed', 'root works in no folder')),
  close: () => Promise.resolve(),
};
