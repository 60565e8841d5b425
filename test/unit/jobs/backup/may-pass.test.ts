import { expect, test } from 'vitest';
import { AgentError, argumentsOf, type ErrorCode } from '../../../../src/domain/errors.ts';
import { FailedAfterBackup } from '../../../../src/jobs/backup/backup-cycle.ts';
import { mayPass } from '../../../../src/jobs/backup/may-pass.ts';

test.for<[code: ErrorCode, reason: string, passes: boolean]>([
  ['repository', 'unavailable', true],
  ['redis', 'refused', true],
  ['redis', 'loading', true],
  // These stay as they are until somebody does something.
  ['repository', 'denied', false],
  ['repository', 'full', false],
  ['redis', 'wrongpass', false],
  ['refused', 'disk', false],
  // A save that failed may have stopped the server's writes: it is not asked for again.
  ['failed', 'save-failed', false],
  ['interrupted', '', false],
])('%s, %s: %s', ([code, reason, passes]) => {
  expect(mayPass(new AgentError(...argumentsOf({ code, message: 'no', reason })))).toBe(passes);
});

test('a backup that is stored is not taken again, whatever failed after it', () => {
  expect(mayPass(new FailedAfterBackup('repository', 'no', { reason: 'unavailable' }))).toBe(false);
  expect(mayPass(new Error('a defect'))).toBe(false);
});
