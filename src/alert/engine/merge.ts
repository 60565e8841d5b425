import type { Notice, NoticeItem } from '../../domain/alert.ts';
import { cut } from './items.ts';

/**
 * One notice in place of several that nobody could be told in time, the oldest first: what is so now, and what came and
 * went meanwhile. Undefined for none.
 */
export function mergeNotices(notices: readonly Notice[]): Notice | undefined {
  const last = notices.at(-1);
  if (last === undefined || notices.length === 1) return last;
  const items = new Map<number, NoticeItem>();
  for (const notice of notices)
    for (const item of notice.items) {
      const before = items.get(item.episode);
      items.set(item.episode, before === undefined ? item : { ...item, change: together(before, item) });
    }
  const { items: listed, more } = cut([...items.values()]);
  return { ...last, items: listed, more: more + Math.max(...notices.map((notice) => notice.more)) };
}

/** What two pieces of news about one alert come to. */
function together(before: NoticeItem, after: NoticeItem): NoticeItem['change'] {
  const unheard = before.change === 'fired' || before.change === 'flapping';
  if (after.change === 'resolved') return unheard ? 'passed' : 'resolved';
  if (after.change === 'open' || after.change === 'repeated' || after.change === 'raised') {
    if (before.change === 'fired') return 'fired';
    if (before.change === 'raised') return 'raised';
  }
  return after.change;
}
