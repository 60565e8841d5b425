import { Server, Socket } from 'node:net';
import { deserialize } from 'node:v8';
import type { LoadedSettings } from '../../config/load.ts';
import { AgentError } from '../../domain/errors.ts';
import type { FirewallFacts } from '../../harden/read/firewall.ts';
import { becomeForGood } from '../../lib/process/become-user.ts';
import { useLent } from '../../lib/files/lent-file.ts';
import { VerbCaller, VerbsClosedError } from '../../lib/verbs/call.ts';
import { handsBehind, type HandsProcess } from '../hands/start.ts';
import type { SwitchLink } from './link.ts';
import { askedConsumers } from './told-consumers.ts';
import {
  firstLent,
  switchDescriptor,
  switchLimits,
  switchPatience,
  type Handed,
  type MindTask,
} from './protocol.ts';

/**
 * Gives root up for good, and keeps the way to the process that has it. All that is needed by then has to be loaded, as
 * for each command that becomes somebody else. Ends with that process, however that ends.
 */
export function becomeMind(words: string): SwitchLink {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by run-mind.ts
  const { user, lent, folders, fill } = JSON.parse(words) as MindTask;
  becomeForGood(user);
  useLent({
    files: lent.map((path, index) => ({ path, descriptor: firstLent + index })),
    folders,
    fill: fill === undefined ? undefined : { ...fill, descriptor: firstLent + lent.length },
  });
  const handed = new Map<number, PromiseWithResolvers<Socket | Server>>();
  const at = (number: number): PromiseWithResolvers<Socket | Server> => {
    const known = handed.get(number) ?? Promise.withResolvers<Socket | Server>();
    handed.set(number, known);
    return known;
  };
  process.on('message', ({ handed: number }: Handed, socket: unknown) => {
    if (socket instanceof Socket || socket instanceof Server) at(number).resolve(socket);
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref();
  const channel = new Socket({ fd: switchDescriptor });
  channel.on('error', () => {});
  channel.unref();
  const caller = new VerbCaller({ input: channel, output: channel }, switchLimits, () => channel.destroy());
  const ask = async (verb: string, args: readonly unknown[]): Promise<unknown> =>
    await caller.call(verb, args, switchPatience).catch((error: unknown) => {
      throw error instanceof VerbsClosedError ? rootGone(error) : error;
    });
  const take = async (number: unknown): Promise<Socket | Server> => {
    const socket = await at(Number(number)).promise;
    handed.delete(Number(number));
    return socket;
  };
  const data = async <Value>(verb: string): Promise<Value> => {
    const bytes = await ask(verb, []);
    if (!(bytes instanceof Uint8Array)) throw new Error(`${verb} was asked for`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- root is believed
    return deserialize(bytes) as Value;
  };
  return {
    ask,
    askEtc: ask,
    consumers: askedConsumers(ask),
    firewall: async () => await data<FirewallFacts>('firewall'),
    openHands: async (instance) => asHands(await take(await ask('openHands', [instance]))),
    async reservePort() {
      const number = await ask('reservePort', []);
      const server = typeof number === 'number' ? await take(number) : undefined;
      return server instanceof Server ? server : undefined;
    },
    settings: async () => await data<LoadedSettings>('settings'),
  };
}

/** We end with it, as soon as we hear of it: this is seen where it is heard of here first. */
function rootGone(cause: VerbsClosedError): AgentError {
  return new AgentError('failed', `root’s process of this command is gone: ${cause.message}`, {
    cause,
    reason: 'killed',
    hint: 'run the same command again: what it had begun is gone on from, or taken back',
  });
}

function asHands(channel: Socket | Server): HandsProcess {
  if (!(channel instanceof Socket)) throw new Error('a socket was asked for');
  return handsBehind(channel);
}
