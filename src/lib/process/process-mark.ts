import { readFileSync } from 'node:fs';

/** `<pid>-<start>`: names this process, and no later one of its number. Of what it may leave behind when it is killed. */
export function processMark(): string {
  return `${process.pid}-${startTicks(readFileSync('/proc/self/stat', 'utf8'))}`;
}

/** Does the process that a mark names still run, as far as we see processes? */
export function isMarkRunning(mark: string): boolean {
  const [pid, started] = mark.split('-').map(Number);
  try {
    return startTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) === started;
  } catch {
    return false;
  }
}

/** Field 22 of proc_pid_stat(5): when the process started, in ticks since boot. */
export function startTicks(stat: string): number {
  // Field 2, the name in parentheses, may itself hold spaces and parentheses.
  const afterName = stat.slice(stat.lastIndexOf(')') + 2);
  return Number(afterName.split(' ')[19]);
}
