import { expect, test } from 'vitest';
import { Lifecycle } from '../../../src/app/lifecycle.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';

test('stops newest first, past a step that fails and one that hangs', async () => {
  const clock = new ManualClock();
  const log = memoryLog();
  const lifecycle = new Lifecycle({ clock, log });
  const stopped: string[] = [];
  const hanging = Promise.withResolvers<void>();
  lifecycle.add('first', () => void stopped.push('first'));
  lifecycle.add('fails', () => {
    throw new Error('broken');
  });
  lifecycle.add(
    'hangs',
    () => {
      hanging.resolve();
      return new Promise(() => {});
    },
    3000,
  );
  lifecycle.add('last', () => void stopped.push('last'));
  const done = lifecycle.stop();
  await hanging.promise;
  clock.advance(3000);
  await done;
  expect(stopped).toEqual(['last', 'first']);
  expect(log.entries).toMatchObject([
    { step: 'hangs', message: 'did not stop in time' },
    { step: 'fails', cause: 'broken' },
  ]);
  await lifecycle.stop();
  expect(stopped).toEqual(['last', 'first']);
});
