import type { ElementSink } from '../../formats/rdb/element-sink.ts';
import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import type { DataType } from '../../formats/rdb/value-types.ts';
import { encodedArgument } from '../../redis/pipe/command-writer.ts';
import { ArgumentBatch } from './argument-batch.ts';
import type { TargetAbilities } from './judge-target.ts';
import { StreamCommands } from './stream-commands.ts';
import { send, type ValueChannel } from './value-channel.ts';
import { losesExpiry } from './writer-options.ts';

const command = {
  set: encodedArgument('SET'),
  append: encodedArgument('APPEND'),
  rpush: encodedArgument('RPUSH'),
  sadd: encodedArgument('SADD'),
  hset: encodedArgument('HSET'),
  zadd: encodedArgument('ZADD'),
  hpexpireat: encodedArgument('HPEXPIREAT'),
} as const;

/** A longer string goes in pieces: two of them fill a block of the connection. */
const pieceBytes = 120 * 1024;
const collecting: Partial<Record<DataType, Uint8Array>> = {
  list: command.rpush,
  set: command.sadd,
  hash: command.hset,
  zset: command.zadd,
};

/** Builds values by the plain commands of their types, for targets that do not take RESTORE of them. */
export class ValueCommands implements ElementSink {
  readonly #channel: ValueChannel;
  readonly #abilities: TargetAbilities;
  readonly #stream: StreamCommands;
  readonly #batch = new ArgumentBatch();
  #collects: Uint8Array = command.rpush;
  /** Commands that were sent for this value. */
  #sent = 0;

  constructor(channel: ValueChannel, abilities: TargetAbilities) {
    this.#channel = channel;
    this.#abilities = abilities;
    this.#stream = new StreamCommands(channel, abilities);
  }

  begin(record: RdbRecord): void {
    this.#channel.begin(record);
    this.#batch.clear();
    this.#sent = 0;
    this.#collects = collecting[record.type.data] ?? command.rpush;
    this.#stream.begin();
  }

  end(record: RdbRecord): void {
    this.#flush();
    this.#channel.end(record, this.#sent === 0);
  }

  string(value: Uint8Array): void {
    this.piece(value);
  }

  piece(value: Uint8Array): void {
    for (let at = 0; at === 0 || at < value.length; at += pieceBytes)
      send(
        this.#channel,
        [this.#sent++ === 0 ? command.set : command.append],
        value.subarray(at, at + pieceBytes),
      );
  }

  item(item: Uint8Array): void {
    this.#batch.add(item);
    if (this.#batch.full) this.#flush();
  }

  field(field: Uint8Array, value: Uint8Array, written: number): void {
    const expiresAt = this.#channel.ttl.of(written, this.#channel.now);
    if (expiresAt >= 0 && expiresAt <= this.#channel.now) return;
    if (expiresAt >= 0 && !this.#abilities.fieldExpiry) return this.#channel.fail(losesExpiry);
    this.#batch.add(field);
    this.#batch.add(value);
    if (expiresAt >= 0) {
      this.#flush();
      send(this.#channel, [command.hpexpireat], expiresAt, 'FIELDS', 1, field);
    } else if (this.#batch.full) {
      this.#flush();
    }
  }

  member(member: Uint8Array, score: number): void {
    this.#batch.add(Buffer.from(scoreText(score)));
    this.#batch.add(member);
    if (this.#batch.full) this.#flush();
  }

  entry: NonNullable<ElementSink['entry']> = (id, fields) => this.#stream.entry(id, fields);
  stream: NonNullable<ElementSink['stream']> = (metadata) => {
    this.#stream.stream(metadata);
    this.#sent++;
  };
  group: NonNullable<ElementSink['group']> = (group) => this.#stream.group(group);
  pending: NonNullable<ElementSink['pending']> = (pending) => this.#stream.pending(pending);
  consumer: NonNullable<ElementSink['consumer']> = (consumer) => this.#stream.consumer(consumer);
  consumerPending: NonNullable<ElementSink['consumerPending']> = (id) => this.#stream.consumerPending(id);

  skipped(bytes: number): void {
    this.#channel.fail(`a string in it has ${bytes} bytes, more than a command may have`);
  }

  #flush(): void {
    if (this.#batch.empty) return;
    const channel = this.#channel;
    channel.prepare();
    this.#batch.write(channel.out, this.#collects, channel.key);
    channel.commit();
    this.#sent++;
  }
}

/** The shortest text that is exactly this number to the server, too. */
function scoreText(score: number): string {
  if (score === Infinity) return 'inf';
  if (score === -Infinity) return '-inf';
  return Object.is(score, -0) ? '-0' : String(score);
}
