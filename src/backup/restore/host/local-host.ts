import { constants, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../domain/clock.ts';
import { systemCode } from '../../../domain/errors.ts';
import type { InstanceSettings } from '../../../domain/settings.ts';
import { actAs, type UserId } from '../../../lib/process/act-as.ts';
import { openForeignSync } from '../../../lib/files/foreign-file.ts';
import { findDataProcesses, findProcess, servingAt } from '../../../redis/process/data-process.ts';
import { configuredUser, findService, type FoundService } from '../../../redis/service/find-service.ts';
import type { PlainCommands } from '../../../redis/service/plain-service.ts';
import { findServerProcess } from '../../../redis/process/server-process.ts';
import { journalFolder } from '../journal.ts';
import type { Hands } from './hands.ts';
import type { HostSight, RestoreHost } from './host.ts';
import { readConfFacts } from './read-conf-facts.ts';

export interface LocalHostOptions {
  instance: InstanceSettings;
  hands: Hands;
  clock: Clock;
  signal: AbortSignal;
}

/** With the rights of this process, and, where it is root, with `hands` in the folders of others. */
export function localHost({ instance, hands, clock, signal }: LocalHostOptions): RestoreHost {
  const actsForOthers = process.geteuid?.() === 0;
  let service: FoundService | undefined;
  let seen: HostSight = {};
  const processesIn = async (dir: string): Promise<number[]> =>
    (await servingAt(await findDataProcesses(dir), instance.url)).map(({ pid }) => pid);
  return {
    actsForOthers,
    async look(info) {
      const found = info && (await findServerProcess(info, instance.url));
      const process = found && (await findProcess(found.pid));
      const owner = process && { uid: process.uid, gid: process.gid };
      const running = info && { info, pid: found?.pid, user: owner };
      service = await findService(instance, running, { clock, signal });
      seen = {
        pid: found?.pid,
        owner,
        service: service && {
          description: service.description,
          program: service.program,
          arguments: service.arguments,
          kind: service.kind,
          endsItself: service.endsItself,
        },
        user: whose(service?.user ?? configuredUser(instance), owner),
      };
      return seen;
    },
    readConf: async (source) => await readConfFacts(source, seen.user),
    openFolder: async (named, layout) =>
      await hands.openFolder(named, layout, {
        user: actsForOthers ? seen.user : seen.owner,
        guarded: actsForOthers,
      }),
    processesIn,
    async end(dir, name) {
      const found = await servingAt(await findDataProcesses(dir), instance.url);
      const known = [seen.user?.uid, seen.owner?.uid];
      const own = actsForOthers ? found.filter(({ uid }) => known.includes(uid)) : found;
      for (const { pid } of own) kill(pid, name);
      return own.map(({ pid }) => pid);
    },
    control: ({ dir, user, readOutput, ...plain }) =>
      service?.control({ ...plain, output: { open: outputIn(dir, user), read: readOutput } }),
  };
}

function whose(named: UserId | undefined, seen: UserId | undefined): HostSight['user'] {
  if (named !== undefined && !(seen?.uid === named.uid)) return { ...named, named: true };
  return seen && { ...seen, named: named !== undefined };
}

/** One that has ended meanwhile is no error. */
function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

/** What a server without a manager writes to its standard output; counts from its data directory. */
export const outputPath = join(journalFolder, 'server.log');

/** Opens it anew, as its user: a descriptor for the server's own process, which starts without one, too. */
function outputIn(dir: string, user: UserId): PlainCommands['output']['open'] {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  return () => {
    try {
      return actAs(user, () => openForeignSync(join(dir, outputPath), flags, 0o600));
    } catch {
      return openSync('/dev/null', 'w');
    }
  };
}
