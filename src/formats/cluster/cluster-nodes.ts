import type { ClusterPlace, SlotRange } from '../../domain/backup.ts';
import { orderSlots, slotRange } from './slots.ts';

/** A node of a cluster that holds slots, or could. */
export interface ClusterNode {
  id: string;
  /** Empty: where the one that was asked is. */
  host: string;
  port: number;
  /** Is it the one that was asked? */
  myself: boolean;
  role: 'master' | 'replica';
  /** As the one that was asked sees it. */
  failed: boolean;
  slots: SlotRange[];
  /** Slots that are on their way to or from it: only of the one that was asked. */
  moving: number[];
}

const nodeId = /^[0-9a-f]{40}$/;

/** Reads CLUSTER NODES, or nodes.conf, which has the same lines. */
export function parseClusterNodes(text: string): ClusterNode[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', address = '', flags = '', ...rest] = line.trim().split(' ');
    const [, host, port] = /^(.*):(\d+)(?:@\d+)?(?:,.*)?$/.exec(address) ?? [];
    if (!nodeId.test(id) || host === undefined) return [];
    const flag = new Set(flags.split(','));
    const words = rest.slice(5);
    return [
      {
        id,
        host: namedIn(address) ?? host,
        port: Number(port),
        myself: flag.has('myself'),
        role: flag.has('master') ? ('master' as const) : ('replica' as const),
        failed: flag.has('fail') || flag.has('noaddr') || flag.has('handshake'),
        slots: orderSlots(words.flatMap(rangeOf)),
        moving: words.flatMap(movingOf),
      },
    ];
  });
}

/** 7.0 and newer: `ip:port@busport,hostname`, then more, each as `name=value`. No certificate is of an address. */
function namedIn(address: string): string | undefined {
  const name = address.split(',')[1];
  return name === undefined || name === '' || name.includes('=') ? undefined : name;
}

function rangeOf(word: string): SlotRange[] {
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word) ?? [];
  return from === undefined ? [] : slotRange(Number(from), Number(to ?? from));
}

/** `[93->-ID]` on its way there, `[93-<-ID]` from there. */
function movingOf(word: string): number[] {
  const slot = /^\[(\d{1,5})-[<>]-[0-9a-f]+\]$/.exec(word)?.[1];
  return slot === undefined ? [] : slotRange(Number(slot), Number(slot)).map(([only]) => only);
}

/** What the node that was asked holds; undefined where the text does not say which one that is. */
export function placeInCluster(text: string): ClusterPlace | undefined {
  const own = parseClusterNodes(text).find(({ myself }) => myself);
  return own && { node: own.id, slots: own.slots, moving: own.moving };
}

/** Reads the answer to CLUSTER SHARDS (7.0 and newer). */
export function parseClusterShards(reply: unknown, tls: boolean): ClusterNode[] {
  return list(reply).flatMap((shard) => {
    const fields = pairs(shard);
    const numbers = list(fields.get('slots')).map(Number);
    const slots: SlotRange[] = [];
    for (let at = 0; at + 1 < numbers.length; at += 2)
      slots.push(...slotRange(numbers[at] ?? NaN, numbers[at + 1] ?? NaN));
    return list(fields.get('nodes')).flatMap((node) => {
      const of = pairs(node);
      if (!nodeId.test(wordOf(of.get('id')))) return [];
      const master = of.get('role') === 'master';
      const port = tls ? of.get('tls-port') : of.get('port');
      return {
        id: wordOf(of.get('id')),
        host: hostOf(of),
        port: Number(port ?? 0),
        myself: false,
        role: master ? ('master' as const) : ('replica' as const),
        failed: wordOf(of.get('health')) === 'fail',
        slots: master ? orderSlots(slots) : [],
        moving: [],
      };
    });
  });
}

/** `endpoint` is how its operator wants it reached, and `?` or nothing where that is not known. */
function hostOf(of: Map<string, unknown>): string {
  const endpoint = wordOf(of.get('endpoint'));
  return endpoint === '' || endpoint === '?' ? wordOf(of.get('ip')) : endpoint;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function pairs(value: unknown): Map<string, unknown> {
  const words = list(value);
  const found = new Map<string, unknown>();
  for (let at = 0; at + 1 < words.length; at += 2) found.set(wordOf(words[at]), words[at + 1]);
  return found;
}
