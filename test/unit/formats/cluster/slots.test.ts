import { expect, test } from 'vitest';
import {
  parseClusterNodes,
  parseClusterShards,
  placeInCluster,
} from '../../../../src/formats/cluster/cluster-nodes.ts';
import { keySlot, slotTag } from '../../../../src/formats/cluster/key-slot.ts';
import { countSlots, formatSlots, slotsTwice, slotsWithout } from '../../../../src/formats/cluster/slots.ts';

const id = (letter: string): string => letter.repeat(40);

test('a key has the slot that servers give it', () => {
  const slots = ['foo', '{user1000}.following', 'foo{}{bar}', 'foo{{bar}}zap', '123456789', ''];
  // CLUSTER KEYSLOT of Redis 7.0.
  expect(slots.map((key) => keySlot(Buffer.from(key)))).toEqual([12_182, 3443, 8363, 4015, 12_739, 0]);
});

test('a tag gives any name its slot', () => {
  const wrong = Array.from({ length: 16_384 }, (_, slot) => slot).filter(
    (slot) => keySlot(Buffer.from(`${slotTag(slot)}any}{thing`)) !== slot,
  );
  expect(wrong).toEqual([]);
});

test('lists of slots', () => {
  expect(
    formatSlots([
      [5, 5],
      [0, 3],
      [4, 4],
    ]),
  ).toBe('0-5');
  expect(formatSlots([])).toBe('none');
  expect(
    countSlots([
      [0, 9],
      [5, 12],
      [20, 20],
    ]),
  ).toBe(14);
  expect(
    slotsWithout(
      [[0, 100]],
      [
        [10, 20],
        [50, 50],
        [99, 200],
      ],
    ),
  ).toEqual([
    [0, 9],
    [21, 49],
    [51, 98],
  ]);
  expect(slotsTwice([[[0, 10]], [[11, 20]], [[5, 12]]])).toEqual([[5, 12]]);
});

test('CLUSTER NODES of several versions', () => {
  const text = [
    `${id('a')} 127.0.0.1:7001@17001,host.example,shard-id=${id('f')} myself,master - 0 0 1 connected 0-5 7 [9->-${id('b')}]`,
    `${id('b')} fd00::1:7002@17002 master - 0 1 2 connected 8-16383`,
    `${id('c')} 127.0.0.1:7003 slave ${id('a')} 0 1 2 connected`,
    `${id('d')} :0@0 master,noaddr - 0 0 0 disconnected`,
    'vars currentEpoch 3 lastVoteEpoch 0',
  ].join('\n');
  expect(parseClusterNodes(text)).toMatchObject([
    {
      host: 'host.example',
      port: 7001,
      myself: true,
      role: 'master',
      slots: [
        [0, 5],
        [7, 7],
      ],
      moving: [9],
    },
    { host: 'fd00::1', port: 7002, myself: false, failed: false, slots: [[8, 16_383]] },
    { port: 7003, role: 'replica', slots: [] },
    { failed: true },
  ]);
  expect(placeInCluster(text)).toEqual({
    node: id('a'),
    slots: [
      [0, 5],
      [7, 7],
    ],
    moving: [9],
  });
  expect(placeInCluster('nothing of the kind')).toBeUndefined();
});

test('what no cluster has is taken from no server', () => {
  const line = `${id('a')} 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-5 9-7 5-99999 16384 [99999->-${id('b')}] [7->-${id('b')}]`;
  expect(parseClusterNodes(line)).toMatchObject([{ slots: [[0, 5]], moving: [7] }]);
  const node = ['id', id('a'), 'port', 1, 'ip', 'h', 'role', 'master'];
  const shard = (nodes: unknown[]): unknown[] => ['slots', [0, 5, -1, 3, 9, 1e9, 'x', 2, 4], 'nodes', nodes];
  expect(parseClusterShards([shard([node])], false)).toMatchObject([{ slots: [[0, 5]] }]);
  expect(parseClusterShards([shard([['id', 'x\u001B[2J', 'role', 'master'], 7])], false)).toEqual([]);
  expect(parseClusterShards('nonsense', false)).toEqual([]);
});
