import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const start = join(import.meta.dirname, '../../src/app/hands/start.ts');

test('who waits for nothing but the end of hands does wait, also where their last words come behind it', async () => {
  // They have ended, and something that they have started still holds their standard error.
  const program = ['/bin/sh', '-c', 'sleep 0.3 & exit 0', 'sh'];
  const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const code = `import { startHands } from ${JSON.stringify(start)};
const hands = startHands(${JSON.stringify(program)}, ${JSON.stringify(user)});
await hands.ended();
console.log('ended');`;
  // Exit status 13 would be that of a process that had nothing to wait for.
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
  expect(stdout).toBe('ended\n');
});
