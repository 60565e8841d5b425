import { abilitiesOf, type ClusterLane, type KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { probeTarget } from '../../backup/restore-keys/probe-target.ts';
import { compileChoice } from '../../backup/restore-keys/selection.ts';
import { TimesToLive } from '../../backup/restore-keys/times-to-live.ts';
import type { KeyWriterOptions } from '../../backup/restore-keys/writer-options.ts';
import type { SlotRange } from '../../domain/backup.ts';
import { Pipe } from '../../redis/pipe/pipe.ts';
import type { PipeReply } from '../../redis/pipe/reply-parser.ts';
import type { RedisTarget } from '../../redis/connection/target.ts';
import { nodeTarget } from './read-target.ts';
import type { RestoreKeysContext, RestoreKeysOptions } from './restore-keys-options.ts';

/** One server that is written to: the target itself, or a master of its cluster. */
export interface Lane {
  pipe: Pipe;
  base: WriterBase;
  /** Of a node; undefined: it takes every key. */
  slots: SlotRange[] | undefined;
  /** Slots of which it takes keys that ask for it. */
  asking: ReadonlySet<number>;
  receive(receiver: Receiver): void;
}

/** How much is on its way, to all lanes. */
export interface Flow {
  readonly full: boolean;
  ready(): Promise<void>;
  drain(): Promise<void>;
}

/**
 * Opens a pipe to the target, or to each master of its cluster, learns what they take, and lets `use` work with them. `asks`:
 * slots that are on their way, and the address of who takes their new keys.
 */
export async function withPipes<T>(
  { signal }: RestoreKeysContext,
  options: RestoreKeysOptions,
  place: KeyTarget,
  use: (lanes: [Lane, ...Lane[]], flow: Flow) => Promise<T>,
  asks: ReadonlyMap<number, string> = new Map(),
): Promise<T> {
  const lanes: Lane[] = [];
  const target = abilitiesOf(place);
  const { choice, existing, toDatabase, source, skipDamaged = false } = options;
  const taken = source.manifest === undefined ? undefined : Date.parse(source.manifest.snapshot_at);
  // One for all lanes: it learns from the dump when that was made.
  const ttl = new TimesToLive(options.ttl, taken);
  const open = async (to: RedisTarget, node?: ClusterLane): Promise<void> => {
    let receiver: Receiver | undefined;
    const pipe = await Pipe.open(to, { signal, onReply: (tag, reply) => receiver?.answer(tag, reply) });
    const lane: Omit<Lane, 'base'> = {
      pipe,
      slots: node?.slots,
      asking: node === undefined ? new Set() : askedOf(node, asks),
      receive: (next) => (receiver = next),
    };
    try {
      const { again } = source;
      const ways = await probeTarget(pipe, target, node?.slots[0]?.[0]);
      const selects = compileChoice(choice);
      lanes.push({ ...lane, base: { target, ways, existing, toDatabase, ttl, again, selects, skipDamaged } });
    } catch (error) {
      pipe.close();
      throw error;
    }
  };
  try {
    if (place.cluster === null) await open(options.target);
    else for (const node of place.cluster.nodes) await open(nodeTarget(options.target, node.url), node);
    const [first, ...others] = lanes;
    if (first === undefined) throw new Error('a target without a server');
    return await use([first, ...others], flowOf(lanes));
  } finally {
    for (const { pipe } of lanes) pipe.close();
  }
}

function askedOf(node: ClusterLane, asks: ReadonlyMap<number, string>): Set<number> {
  return new Set([...asks].flatMap(([slot, address]) => (address === node.address ? [slot] : [])));
}

function flowOf(lanes: readonly Lane[]): Flow {
  const [first] = lanes;
  if (first !== undefined && lanes.length === 1) return first.pipe;
  return {
    get full() {
      return lanes.some(({ pipe }) => pipe.full);
    },
    async ready() {
      for (const { pipe } of lanes) if (pipe.full) await pipe.ready();
    },
    async drain() {
      for (const { pipe } of lanes) await pipe.drain();
    },
  };
}

export interface Receiver {
  answer(tag: number, reply: PipeReply): void;
}

export type WriterBase = Omit<
  KeyWriterOptions,
  'tally' | 'from' | 'doubtfulTo' | 'temporary' | 'only' | 'built'
>;
