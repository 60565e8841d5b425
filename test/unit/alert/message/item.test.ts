import { expect, test } from 'vitest';
import { describeItem, summaryBeside } from '../../../../src/alert/message/item.ts';
import { noticeOf } from '../../../support/alerts/notices.ts';

test.each([
  [
    'backup-failed',
    'backup failed: instance main: user default may not run BGSAVE',
    'user default may not run BGSAVE',
  ],
  ['watch-backups-failed', 'watch-backups failed: main: it is away', 'it is away'],
  ['server-down', 'the server does not answer', 'the server does not answer'],
  ['backup-failed', 'backup failed: ', 'backup failed: '],
])('%s: %s', (rule, summary, said) => {
  expect(summaryBeside({ rule, instance: 'main', summary })).toBe(said);
});

test('a fact that the sentence or the headline has already is not said again', () => {
  const id = '20261130T010514Z-7da6';
  const [item] = noticeOf().items;
  if (item === undefined) throw new Error('it has one');
  const damaged = {
    ...item,
    resource: id,
    summary: `backup ${id} is damaged`,
    evidence: { id, free_bytes: 1024 },
  };
  const { details } = describeItem(damaged, { host: 'db1', timezone: 'UTC' });
  expect(details.find(({ label }) => label === 'facts')?.text).toBe('free: 1.0 KiB');
});
