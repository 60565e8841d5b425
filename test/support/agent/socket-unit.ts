import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { agentProgram } from './agent-program.ts';

export interface SocketUnit {
  /** What was started for its connections, oldest first. */
  started: readonly ChildProcess[];
  /** What these have said, all together. */
  said(): string;
}

/**
 * What systemd does for a socket unit with Accept=yes, since no systemd runs here: starts the agent for each connection, as
 * that user, and hands it over as descriptor 3. The real one is in test/system.
 */
export async function listenAsUnit(
  path: string,
  word: string,
  {
    uid,
    gid,
    mode,
    owner = 0,
    env,
  }: { uid: number; gid: number; mode: number; owner?: number; env: NodeJS.ProcessEnv },
): Promise<SocketUnit> {
  const started: ChildProcess[] = [];
  let said = '';
  const [path0 = '', ...program] = agentProgram();
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket: Socket) => {
    const user = uid === 0 ? [] : ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...user, path0, ...program, word], {
      env,
      stdio: ['ignore', 'pipe', 'pipe', socket],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('spawn', () => socket.destroy());
    started.push(child);
  });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, mode);
  chownSync(path, owner, 0);
  onTestFinished(async () => {
    server.close();
    await Promise.all(
      started.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }),
    );
  });
  return { started, said: () => said };
}
