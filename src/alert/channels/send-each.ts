import type { Notice, NoticeItem } from '../../domain/alert.ts';
import type { Failure, Sent } from './channel.ts';

/**
 * For those who want to hear of each alert by itself: what is new of it, one after the other. What came and went is told as
 * both. A failure ends it; what was taken before is told again then, which the other side knows by its key.
 */
export async function sendEach(
  { items }: Notice,
  what: string,
  send: (item: NoticeItem) => Promise<Failure | undefined>,
): Promise<Sent> {
  let count = 0;
  let refusal: Failure | undefined;
  for (const item of items) {
    if (item.change === 'open') continue;
    const steps = item.change === 'passed' ? [{ ...item, change: 'fired' as const }, item] : [item];
    for (const step of steps) {
      const failure = await send(step);
      if (failure === undefined) count += 1;
      else if (failure.again === 'refused') refusal = failure;
      else return failure;
    }
  }
  return refusal ?? { ok: true, answer: `${what} took ${count} event${count === 1 ? '' : 's'}` };
}
