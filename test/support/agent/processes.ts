import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inOwnNetwork } from '../../../src/lib/process/own-network.ts';

/** May root make networks here? Containers lack the right. */
export const hasNetworks = inOwnNetwork({ command: 'true', args: [], detached: true }).command !== 'true';

/** What a process has given up. */
export interface SeenProcess {
  uid: number;
  privileges: boolean;
  session: boolean;
  /** In a network of its own. */
  apart: boolean;
}

/** Numbers of processes that an agent has started, by the word that says what for. */
export function childrenOf(agent: number, word: string): number[] {
  return readOr([], () => readdirSync(`/proc/${agent}/task`))
    .flatMap((task) =>
      readOr('', () => readFileSync(`/proc/${agent}/task/${task}/children`, 'utf8')).split(' '),
    )
    .map(Number)
    .filter(
      (pid) =>
        pid > 0 &&
        readOr('', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
          .split('\0')
          .includes(word),
    );
}

/** What there is in /proc, of a process that may end meanwhile. */
function readOr<T>(none: T, read: () => T): T {
  try {
    return read();
  } catch {
    return none;
  }
}

function field(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\t(\\d+)`, 'm').exec(status)?.[1]);
}

/** What is seen of it once it has given root up. */
export async function see(agent: number, word: string): Promise<SeenProcess> {
  for (;;) {
    const [pid] = childrenOf(agent, word);
    if (pid !== undefined && field(pid, 'Uid') !== 0) {
      const [, , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return {
        uid: field(pid, 'Uid'),
        privileges: field(pid, 'NoNewPrivs') !== 1,
        session: Number(session) === pid,
        apart: readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net'),
      };
    }
    // Not at once again: it needs the processor that this one would use.
    await delay(1);
  }
}
