import { Server, Socket } from 'node:net';
import { deserialize } from 'node:v8';
import type { LoadedSettings } from '../../config/load.ts';
import { becomeForGood } from '../../lib/become-user.ts';
import { useLentFile } from '../../lib/lent-file.ts';
import { VerbCaller } from '../../lib/verbs/call.ts';
import { handsBehind, type HandsProcess } from '../hands/start.ts';
import type { SwitchLink } from './link.ts';
import {
  lentDescriptor,
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
  const { user, lent: path } = JSON.parse(words) as MindTask;
  becomeForGood(user);
  if (path !== undefined) useLentFile({ path, descriptor: lentDescriptor });
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
    await caller.call(verb, args, switchPatience);
  const take = async (number: unknown): Promise<Socket | Server> => {
    const socket = await at(Number(number)).promise;
    handed.delete(Number(number));
    return socket;
  };
  return {
    ask,
    askEtc: () => Promise.reject(new Error('root changes configurations itself')),
    openHands: async (instance) => asHands(await take(await ask('openHands', [instance]))),
    async reservePort() {
      const number = await ask('reservePort', []);
      const server = typeof number === 'number' ? await take(number) : undefined;
      return server instanceof Server ? server : undefined;
    },
    async settings() {
      const bytes = await ask('settings', []);
      if (!(bytes instanceof Uint8Array)) throw new Error('settings were asked for');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- root is believed
      return deserialize(bytes) as LoadedSettings;
    },
  };
}

function asHands(channel: Socket | Server): HandsProcess {
  if (!(channel instanceof Socket)) throw new Error('a socket was asked for');
  return handsBehind(channel);
}
