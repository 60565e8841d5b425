import { abilitiesOf, type KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { probeTarget } from '../../backup/restore-keys/probe-target.ts';
import { compileChoice } from '../../backup/restore-keys/selection.ts';
import { TimesToLive } from '../../backup/restore-keys/times-to-live.ts';
import type { KeyWriterOptions } from '../../backup/restore-keys/writer-options.ts';
import { Pipe } from '../../redis/pipe.ts';
import type { PipeReply } from '../../redis/reply-parser.ts';
import type { RestoreKeysContext, RestoreKeysOptions } from './restore-keys-options.ts';

/** Opens a pipe, learns what the target takes, and lets `use` work with both. */
export async function withPipe<T>(
  { signal }: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  use: (pipe: Pipe, writer: WriterBase, receive: (receiver: Receiver) => void) => Promise<T>,
): Promise<T> {
  let receiver: Receiver | undefined;
  const pipe = await Pipe.open(options.target, {
    signal,
    onReply: (tag, reply) => receiver?.answer(tag, reply),
  });
  try {
    const target = abilitiesOf(place);
    const ways = await probeTarget(pipe, target);
    const { choice, existing, toDatabase, source } = options;
    const taken = source.manifest === undefined ? undefined : Date.parse(source.manifest.snapshot_at);
    const ttl = new TimesToLive(options.ttl, taken);
    const base = {
      target,
      ways,
      existing,
      toDatabase,
      ttl,
      again: source.again,
      selects: compileChoice(choice),
    };
    return await use(pipe, base, (next) => (receiver = next));
  } finally {
    pipe.close();
  }
}

export interface Receiver {
  answer(tag: number, reply: PipeReply): void;
}

export type WriterBase = Omit<KeyWriterOptions, 'tally' | 'from' | 'doubtfulTo' | 'temporary' | 'only'>;
