import type { SlotRange } from '../../domain/backup.ts';

/** Of every cluster. */
export const clusterSlots = 16_384;

/** As a server has named them; none where no cluster has such. */
export function slotRange(from: number, to: number): SlotRange[] {
  return isSlot(from) && isSlot(to) && from <= to ? [[from, to]] : [];
}

function isSlot(slot: number): boolean {
  return Number.isInteger(slot) && slot >= 0 && slot < clusterSlots;
}

/** In order, and joined where they meet: two lists of the same slots are equal then. */
export function orderSlots(ranges: readonly SlotRange[]): SlotRange[] {
  const ordered: SlotRange[] = [];
  for (const [from, to] of ranges.toSorted(([one], [other]) => one - other)) {
    const last = ordered.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else ordered.push([from, to]);
  }
  return ordered;
}

export function countSlots(ranges: readonly SlotRange[]): number {
  return orderSlots(ranges).reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** `0-5460 5462`, as CLUSTER NODES writes them. */
export function formatSlots(ranges: readonly SlotRange[]): string {
  const words = orderSlots(ranges).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return words.length === 0 ? 'none' : words.join(' ');
}

/** Those of `ranges` that are not among `others`. */
export function slotsWithout(ranges: readonly SlotRange[], others: readonly SlotRange[]): SlotRange[] {
  let left = orderSlots(ranges);
  for (const [from, to] of orderSlots(others))
    left = left.flatMap(([first, last]): SlotRange[] => {
      if (to < first || from > last) return [[first, last]];
      const before: SlotRange[] = first < from ? [[first, from - 1]] : [];
      return last > to ? [...before, [to + 1, last]] : before;
    });
  return left;
}

/** Which slots stand in more than one of the lists. */
export function slotsTwice(lists: readonly (readonly SlotRange[])[]): SlotRange[] {
  const twice: SlotRange[] = [];
  let seen: SlotRange[] = [];
  for (const list of lists) {
    const fresh = slotsWithout(list, seen);
    twice.push(...slotsWithout(list, fresh));
    seen = orderSlots([...seen, ...list]);
  }
  return orderSlots(twice);
}
