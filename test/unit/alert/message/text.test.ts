import { expect, test } from 'vitest';
import { factsOf } from '../../../../src/alert/message/facts.ts';
import { describeNotice } from '../../../../src/alert/message/message.ts';
import { renderText } from '../../../../src/alert/message/text.ts';
import { noticeOf } from '../../../support/alerts/notices.ts';

test('evidence is told in the units that people read', () => {
  const facts = factsOf({
    used_bytes: 966_367_641,
    lag_seconds: 65,
    threshold_ms: 500,
    share_percent: 91.2,
    rewritten: false,
    rejected_last_minute: 3,
    limit_source: 'maxmemory',
    seconds: 3,
    nothing: null,
    empty: '',
  });
  expect(facts.map(({ label, text }) => `${label}: ${text}`)).toEqual([
    'used: 922 MiB',
    'lag: 1m 05s',
    'threshold: 500ms',
    'share: 91.2 %',
    'rewritten: no',
    'rejected last minute: 3',
    'limit source: maxmemory',
    'seconds: 3',
  ]);
});

test('a line ends before a unit no more than inside a word', () => {
  const [item] = noticeOf().items;
  if (item === undefined) throw new Error('a notice without an item');
  for (let width = 30; width < 90; width += 1) {
    const summary = 'memory is at 91.5 % of maxmemory for 1h 05m (4.0 GiB of 4.4 GiB, 10.0s, 12 KiB, 3 B)';
    const notice = noticeOf([{ ...item, summary, evidence: { free_bytes: 1024 } }]);
    const text = renderText(describeNotice(notice, { host: 'db1', timezone: 'UTC' }), width);
    expect(text).not.toMatch(/\n +(?:%|\d\d[smh]\b|[KG]iB|B\b)/);
    expect(text).toContain('free: 1.0 KiB');
  }
});

test('what only programs read is left to them', () => {
  const text = renderText(describeNotice(noticeOf(), { host: 'db1', timezone: 'UTC' }));
  expect(text).not.toContain('code');
  expect(text).toContain('free: 1.0 KiB');
});
