import type { Notice, NoticeItem } from '../../../src/domain/alert.ts';
import { tidy } from '../../../src/alert/engine/items.ts';
import type { ChannelTools } from '../../../src/alert/channels/channel.ts';
import { Secret, type SecretRef } from '../../../src/domain/secret.ts';

const at = Date.parse('2026-11-29T02:10:00Z');

function itemOf(more: Partial<NoticeItem> = {}): NoticeItem {
  return {
    instance: 'main',
    rule: 'backup-failed',
    resource: 'main',
    severity: 'critical',
    summary: 'backup failed: main: the server could not save: there is no room on /var/lib/redis',
    remedy: 'make room on /var/lib/redis, then run: redis-agent backup',
    evidence: { code: 'refused', free_bytes: 1024 },
    episode: 12,
    change: 'fired',
    since: at - 60_000,
    fired_at: at - 60_000,
    resolved_at: null,
    resolution: null,
    acknowledged: false,
    escalated: false,
    flips: 0,
    ...more,
  };
}

export function noticeOf(items: NoticeItem[] = [itemOf()], more: Partial<Notice> = {}): Notice {
  return {
    key: 'k3y-1',
    kind: 'alerts',
    channel: 'test',
    instance: 'main',
    thread: 'main-abc',
    title: items[0]?.rule ?? '',
    at,
    items,
    more: 0,
    ...more,
  };
}

export function resolved(more: Partial<NoticeItem> = {}): NoticeItem {
  return itemOf({ change: 'resolved', resolved_at: at + 15 * 60_000, resolution: 'cleared', ...more });
}

/** What names and servers may hold: markup, commands, control characters, mentions, too much of everything. */
const hostile =
  '<script>alert(1)</script> & <!channel> @everyone *b* _i_ `code` [l](http://x) \u001b[31mred\u001b[0m \u202erev \\ "q" \'s\' \r\nBcc: all@example.org {{x}} ' +
  'é'.repeat(3000);

/** Two hundred hostile items, and more that are left out. */
export function hostileNotice(): Notice {
  const items = Array.from({ length: 200 }, (_, index) => {
    const item = itemOf({
      episode: index + 1,
      resource: `r${index} ${hostile}`,
      summary: hostile,
      remedy: hostile,
      evidence: { what: hostile },
    });
    return { ...item, ...tidy(item) };
  });
  return noticeOf(items, { more: 9800 });
}

/** Secrets are what their reference names: `{ env: VALUE }`. */
export const tools: ChannelTools = {
  secret: (ref: SecretRef) => new Secret('env' in ref ? ref.env : ''),
  context: { host: 'db1', timezone: 'UTC' },
  now: () => at,
};
