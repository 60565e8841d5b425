import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import type { TimesToLive } from './times-to-live.ts';
import type { CommandWriter } from '../../redis/pipe/command-writer.ts';

/** Where the commands that build one value go. The key they build is a temporary one. */
export interface ValueChannel {
  readonly out: CommandWriter;
  /** The temporary key. */
  readonly key: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly ttl: TimesToLive;
  begin(record: RdbRecord): void;
  /** All of the value has been sent; `nothing`: there was nothing to send, since all of its fields have expired. */
  end(record: RdbRecord, nothing: boolean): void;
  /** Before a command is written into `out`: sees to it that it goes to the value's database. */
  prepare(): void;
  /** The command in `out` is complete. An error in its answer makes the value fail. */
  commit(): void;
  /** The value cannot be written as it is: what was built of it goes. */
  fail(reason: string): void;
}

/** Sends a command on the temporary key: `words` (from encodedArgument), the key, then the arguments. */
export function send(
  channel: ValueChannel,
  words: readonly Uint8Array[],
  ...args: (Uint8Array | string | number)[]
): void {
  channel.prepare();
  const { out, key } = channel;
  const encoded = args.map((arg) => (arg instanceof Uint8Array ? arg : Buffer.from(String(arg))));
  out.start(
    words.length + 1 + encoded.length,
    [...words, key, ...encoded].reduce((sum, arg) => sum + arg.length, 0),
  );
  for (const word of words) out.literal(word);
  out.argument(key);
  for (const arg of encoded) out.argument(arg);
  channel.commit();
}
