import { setFlagsFromString } from 'node:v8';

/**
 * For a process that mostly waits: a heap that is collected before it grows, and no compiler that is only worth its memory in
 * hot loops. Set here and not on the command line, since what is heavy runs in children, which inherit that: they are to be fast.
 */
export function staySmall(): void {
  for (const flag of ['--optimize-for-size', '--no-turbofan']) setFlagsFromString(flag);
}
