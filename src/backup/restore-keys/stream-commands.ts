import type {
  ElementSink,
  StreamConsumer,
  StreamGroup,
  StreamId,
  StreamMetadata,
  StreamPending,
} from '../../formats/rdb/element-sink.ts';
import { encodedArgument } from '../../redis/pipe/command-writer.ts';
import type { TargetAbilities } from './judge-target.ts';
import { send, type ValueChannel } from './value-channel.ts';

const words = (...texts: string[]): Uint8Array[] => texts.map(encodedArgument);
const xadd = words('XADD');
const xsetid = words('XSETID');
const createGroup = words('XGROUP', 'CREATE');
const destroyGroup = words('XGROUP', 'DESTROY');
const createConsumer = words('XGROUP', 'CREATECONSUMER');
const readGroup = words('XREADGROUP', 'GROUP');
const ofStream = words('COUNT', '1', 'STREAMS');
const xclaim = words('XCLAIM');
/** Makes a stream without entries, and goes at once. */
const makingGroup = 'redis-agent-making';

/**
 * Builds a stream by commands: entries, last id, groups, consumers and what is pending. What no command can set is lost:
 * when a consumer was last seen, and pending entries whose entry was deleted.
 */
export class StreamCommands implements ElementSink {
  readonly #channel: ValueChannel;
  readonly #abilities: TargetAbilities;
  #entries = 0;
  #group: Uint8Array = new Uint8Array(0);
  #consumer: Uint8Array = new Uint8Array(0);
  /** Of the group: consumers name ids only, and XCLAIM wants all of it. */
  readonly #pending = new Map<string, StreamPending>();

  constructor(channel: ValueChannel, abilities: TargetAbilities) {
    this.#channel = channel;
    this.#abilities = abilities;
  }

  begin(): void {
    this.#entries = 0;
  }

  entry(id: StreamId, fields: readonly Uint8Array[]): void {
    this.#entries++;
    send(this.#channel, xadd, textOf(id), ...fields);
  }

  stream({ lastId, entriesAdded, maxDeletedId }: StreamMetadata): void {
    if (this.#entries === 0) {
      send(this.#channel, createGroup, makingGroup, '0', 'MKSTREAM');
      send(this.#channel, destroyGroup, makingGroup);
    }
    const counters =
      this.#abilities.streamCounters && entriesAdded !== undefined && maxDeletedId !== undefined
        ? ['ENTRIESADDED', String(entriesAdded), 'MAXDELETEDID', textOf(maxDeletedId)]
        : [];
    send(this.#channel, xsetid, textOf(lastId), ...counters);
  }

  group({ name, lastId, entriesRead }: StreamGroup): void {
    this.#group = Uint8Array.from(name);
    this.#pending.clear();
    const read =
      this.#abilities.streamCounters && entriesRead !== undefined && entriesRead >= 0n
        ? ['ENTRIESREAD', String(entriesRead)]
        : [];
    send(this.#channel, createGroup, this.#group, textOf(lastId), ...read);
  }

  pending(pending: StreamPending): void {
    this.#pending.set(textOf(pending.id), { ...pending });
  }

  consumer({ name }: StreamConsumer): void {
    this.#consumer = Uint8Array.from(name);
    if (this.#abilities.createConsumer) {
      send(this.#channel, createConsumer, this.#group, this.#consumer);
    } else {
      // Whoever reads what is pending for him is a consumer then.
      const reading = [encodedArgument(this.#group), encodedArgument(this.#consumer), ...ofStream];
      send(this.#channel, [...readGroup, ...reading], '0');
    }
  }

  consumerPending(id: StreamId): void {
    const entry = textOf(id);
    const pending = this.#pending.get(entry);
    if (pending === undefined) return;
    const { deliveredAt, deliveries } = pending;
    send(
      this.#channel,
      xclaim,
      this.#group,
      this.#consumer,
      '0',
      entry,
      'TIME',
      deliveredAt,
      'RETRYCOUNT',
      deliveries,
      'FORCE',
      'JUSTID',
    );
  }
}

function textOf({ ms, seq }: StreamId): string {
  return `${ms}-${seq}`;
}
