import type { ClusterPlace, Engine, Manifest } from '../../domain/backup.ts';
import { countSlots, formatSlots, slotsWithout } from '../../formats/cluster/slots.ts';
import type { ClusterFacts } from './facts.ts';

/** What would happen, and what to do instead. */
export interface Objection {
  why: string;
  instead: string;
}

/** Shown of a list of slots. */
const shownText = 60;

/**
 * Does a node of a cluster have the slots that the backup has keys of? A server that finds keys of others' slots at its start
 * keeps them and takes those slots for half moved; Valkey deletes them. Of slots that it has got since, all keys would be gone.
 */
export function judgeSlots(
  cluster: ClusterFacts | undefined,
  { id, cluster: then }: Pick<Manifest, 'id' | 'cluster'>,
  engine: Engine,
): Objection | undefined {
  if (cluster === undefined) return undefined;
  const { place: now } = cluster;
  if (now === undefined)
    return guard(
      'the server is a node of a cluster, and which slots it has cannot be seen',
      'grant +cluster|nodes, or start it; see: redis-cli CLUSTER NODES',
    );
  if (then === undefined)
    return guard(
      `the server is a node of a cluster with the slots ${shown(now)}, and the backup does not say of which slots its keys are`,
      byKey(id),
    );
  const [gone, fresh] = [slotsWithout(then.slots, now.slots), slotsWithout(now.slots, then.slots)];
  if (gone.length + fresh.length > 0)
    return guard(
      `the backup is of the slots ${shown(then)}, and this node has the slots ${shown(now)} now` +
        (gone.length > 0
          ? `; ${countSlots(gone)} are elsewhere, and ${engine === 'valkey' ? 'Valkey would delete keys of theirs as it starts' : 'keys of theirs would come back here'}`
          : '') +
        (fresh.length > 0 ? `; ${countSlots(fresh)} are new, and all their keys would be gone` : ''),
      byKey(id),
    );
  const moving = [...new Set([...then.moving, ...now.moving])];
  if (moving.length === 0) return undefined;
  return guard(
    `slots are being moved, or were when the backup was taken: ${formatSlots(moving.map((slot) => [slot, slot])).slice(0, shownText)}`,
    `end that first (redis-cli --cluster fix); or ${byKey(id)}`,
  );
}

function byKey(id: string): string {
  return `write its keys into the cluster, each where it belongs: redis-agent restore ${id} --keys '*' --into URL`;
}

function shown({ slots }: ClusterPlace): string {
  const text = formatSlots(slots);
  return text.length <= shownText ? text : `${text.slice(0, shownText)}… (${countSlots(slots)})`;
}

function guard(why: string, instead: string): Objection {
  return { why, instead };
}
