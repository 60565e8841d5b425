import { readFile } from 'node:fs/promises';
import type { Clock } from '../../domain/clock.ts';
import { findServerPids } from '../../redis/process/server-pids.ts';
import { holdsSocket } from '../../redis/process/proc-sockets.ts';
import type { NextStep, Sight } from './report.ts';

/** Long enough for a process that works to be seen working, milliseconds. */
const look = 300;
/** Units of a process's times (proc(5), USER_HZ). */
const perSecond = 100;

interface ProcessState {
  pid: number;
  parent: number;
  uid: number;
  /** Of proc(5): R, S, D, T, t, Z … */
  state: string;
  /** Of a processor, units of USER_HZ. */
  worked: number;
}

/** What the process of a server that takes connections and does not answer is doing; nothing where it is not of this host. */
export async function lookAtSilent(
  url: string,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<{ found: Sight[]; steps: NextStep[] }> {
  const first = await processAt(url);
  if (first === undefined) return { found: [], steps: [] };
  await clock.sleep(look, signal);
  const second = (await readState(first.pid)) ?? first;
  const share = Math.min(100, Math.round(((second.worked - first.worked) / perSecond / (look / 1000)) * 100));
  return describe(second, share);
}

function describe({ pid, uid, state }: ProcessState, share: number): { found: Sight[]; steps: NextStep[] } {
  const sudo = [0, uid].includes(process.geteuid?.() ?? -1) ? '' : 'sudo ';
  if (state === 'T' || state === 't')
    return {
      found: [{ state: 'cause', text: `its process (pid ${pid}) is stopped, by a signal or a debugger` }],
      steps: [{ why: 'it goes on where it was', command: `${sudo}kill -CONT ${pid}`, effect: 'changes' }],
    };
  if (state === 'D')
    return {
      found: [
        {
          state: 'cause',
          text: `its process (pid ${pid}) waits for the kernel: a disk or a network file system, or memory that was swapped out`,
        },
      ],
      steps: [
        {
          why: 'what the kernel says of its disks',
          command: 'sudo dmesg --level=err,warn | tail -n 20',
          effect: 'looks',
        },
        {
          why: 'is it swapping (si, so), or waiting for a disk (wa)?',
          command: 'vmstat 1 5',
          effect: 'looks',
        },
      ],
    };
  if (state === 'R' || share >= 20)
    return {
      found: [
        {
          state: 'cause',
          text: `its process (pid ${pid}) works, at ${share} % of a processor: one command that takes long, and all others wait for its end`,
        },
      ],
      steps: [],
    };
  return {
    found: [
      {
        state: 'note',
        text: `its process (pid ${pid}) is there, and works at ${share} % of a processor`,
      },
    ],
    steps: [],
  };
}

/** The one that holds the socket; a child that saves may hold it too, and is its child. */
async function processAt(url: string): Promise<ProcessState | undefined> {
  const held: ProcessState[] = [];
  for (const pid of findServerPids()) {
    if ((await holdsSocket(pid, url)) === 'no') continue;
    const state = await readState(pid);
    if (state !== undefined) held.push(state);
  }
  const parents = held.filter(({ parent }) => !held.some(({ pid }) => pid === parent));
  // Where the descriptors of others are hidden, several may be likely: none of them is then.
  return parents.length === 1 ? parents[0] : undefined;
}

async function readState(pid: number): Promise<ProcessState | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    // Field 3 on, after the name in parentheses, which may itself hold both.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', parent] = fields;
    return {
      pid,
      parent: Number(parent),
      uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1]),
      state,
      worked: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return undefined;
  }
}
