import type { ChildProcess } from 'node:child_process';

/** Milliseconds in which the last that a program has written is read, where its pipes stay open. */
const rest = 100;

/** Of a child process. Null: a signal ended it, or none did. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/**
 * How a child ends, once what it has written is read. Its pipes close with it, unless something that it leaves behind holds
 * them, a server that it has started: that is not waited for. Whoever calls destroys them. Rejects where it cannot be started.
 */
export async function awaitEnd(child: ChildProcess): Promise<End> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), rest));
  });
}
