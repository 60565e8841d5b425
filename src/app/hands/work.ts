import { Socket } from 'node:net';
import type { UserId } from '../../lib/process/act-as.ts';
import { becomeForGood } from '../../lib/process/become-user.ts';
import { answerVerbs } from '../../lib/verbs/answer.ts';
import { handsDescriptor, handsLimits } from './task.ts';
import { handsVerbs } from './verbs.ts';

/**
 * The process that works in a server's data directory: with the rights of its user, and knowing nothing but what it is told
 * to do there (`words`: whose those are; undefined where it is that user already). It ends with who asks, after what it is doing at that moment, and is deaf to what would end it half way.
 */
export async function workInFolder(words: string | undefined): Promise<never> {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by start.ts
  if (words !== undefined) becomeForGood(JSON.parse(words) as UserId);
  process.chdir('/');
  process.umask(0o077);
  const channel = new Socket({ fd: handsDescriptor });
  // One that has gone is told by the end of what comes in.
  channel.on('error', () => {});
  await answerVerbs({ input: channel, output: channel }, handsLimits, handsVerbs()).catch(() => {});
  // process.exit would wait for what hangs in somebody's file system.
  process.kill(process.pid, 'SIGKILL');
  return await new Promise<never>(() => {});
}
