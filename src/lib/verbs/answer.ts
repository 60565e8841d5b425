import type { Readable, Writable } from 'node:stream';
import type { Answer, Request } from './call.ts';
import { errorWords } from './errors.ts';
import { encodeFrame, readFrames, type FrameLimits } from './frames.ts';

/** What can be asked for, by name. Arguments and results are JSON; bytes may be the last argument, or the result. */
export type Verbs = Record<string, (...args: never[]) => unknown>;

/**
 * Does what comes in, in its order as far as it is done at once, and beside each other what takes its time. Resolves when
 * nothing more comes; what has begun by then is left to the caller.
 */
export async function answerVerbs(
  streams: { input: Readable; output: Writable },
  limits: FrameLimits,
  verbs: Verbs,
): Promise<void> {
  const answer = (head: Answer, bytes?: Uint8Array): void => {
    streams.output.cork();
    for (const each of encodeFrame({ head, bytes })) streams.output.write(each);
    streams.output.uncork();
  };
  const doVerb = async ({ id, verb, args }: Request, bytes: Uint8Array | undefined): Promise<void> => {
    try {
      const work = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
      if (work === undefined) throw new Error(`nobody here knows ${verb}`);
      const all = bytes === undefined ? args : [...args, bytes];
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the caller's types have it
      const result = await (work as (...words: unknown[]) => unknown)(...all);
      if (result instanceof Uint8Array) answer({ id }, result);
      else answer(result === undefined ? { id } : { id, value: result });
    } catch (error) {
      answer({ id, error: errorWords(error) });
    }
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from the process that has started this one
  for await (const { head, bytes } of readFrames(streams.input, limits)) void doVerb(head as Request, bytes);
}
