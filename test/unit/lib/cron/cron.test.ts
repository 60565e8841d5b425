import { createTask } from 'node-cron';
import { expect, test } from 'vitest';
import { openCron } from '../../../../src/lib/cron/cron.ts';

const day = 86_400_000;

test.each([
  '0 4 1 */3 *',
  '30 3 * * sun',
  '30 3 * * 7',
  '0 0 29 2 *',
  '0 0 1 * 1-5',
  '0 0 L * *',
  '0 0 15W jan *',
  '0 0 * 6-8 1#2',
  '0 0 * * 5L',
  '20 10 12 13 * 5',
])('%s matches on the days on which node-cron says so', (expression) => {
  using cron = openCron(expression);
  const first = (((cron.hours[0] ?? 0) * 60 + (cron.minutes[0] ?? 0)) * 60 + (cron.seconds[0] ?? 0)) * 1000;
  const task = createTask(expression, () => {}, { timezone: 'UTC' });
  // A year with a leap day.
  const days = Array.from({ length: 366 }, (_, index) => Date.UTC(2028, 0, 1) / day + index);
  expect(days.filter((number) => cron.matchesDay(number))).toEqual(
    days.filter((number) => task.match(new Date(number * day + first))),
  );
  void task.destroy();
});
