import { Server, Socket } from 'node:net';
import { becomeForGood } from '../../lib/become-user.ts';
import { useLentFile } from '../../lib/lent-file.ts';
import { VerbCaller } from '../../lib/verbs/call.ts';
import { lentDescriptor, switchDescriptor, switchLimits, type Handed, type MindTask } from './protocol.ts';

/** The way to the root that has started us. */
export interface SwitchLink {
  /** Rejects with what was thrown there. */
  ask(verb: string, args: readonly unknown[]): Promise<unknown>;
  /** What was handed over under that number, a socket or a server that listens. */
  take(number: number): Promise<Socket | Server>;
}

/** Milliseconds. A stop of a unit takes as long as the server's last save. */
const patience = 60 * 60_000;

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
  return {
    ask: async (verb, args) => await caller.call(verb, args, patience),
    async take(number) {
      const socket = await at(number).promise;
      handed.delete(number);
      return socket;
    },
  };
}
