import { expect, test } from 'vitest';
import { runCommand } from '../../../../src/lib/process/run-command.ts';

const { signal } = new AbortController();

test('what a program leaves behind, which holds its pipes, is not waited for', async () => {
  const { exitCode, stdout } = await runCommand(['sh', '-c', 'sleep 600 & echo $!; exit 3'], signal);
  expect(exitCode).toBe(3);
  // There still, or this throws.
  process.kill(Number(stdout), 'SIGKILL');
});

test('what it has written before its end is there', async () => {
  const { exitCode, stdout } = await runCommand(
    ['sh', '-c', 'head -c 250000 /dev/zero | tr "\\0" x'],
    signal,
  );
  expect(exitCode).toBe(0);
  expect(stdout).toHaveLength(250_000);
});
