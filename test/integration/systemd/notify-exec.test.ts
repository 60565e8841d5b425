import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, compiler } from '../../support/servers/compiler.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

// The wrapper is built from source; a machine without a C compiler leaves this out (the packages carry it built).
const notify = JSON.stringify(join(import.meta.dirname, '../../../src/app/daemon/notify.ts'));

describe.skipIf(compiler === undefined)(compiler ? 'notify-exec' : 'notify-exec: no C compiler here', () => {
  let folder = '';
  beforeAll(() => {
    folder = makeTempFolder();
    compile('systemd/notify-exec.c', join(folder, 'notify-exec'));
    compile('test/support/agent/notify-socket.c', join(folder, 'notify-socket'));
  });

  afterAll(() => removeTempFolder(folder));

  /** Runs the agent's notifier under the wrapper against a listening socket; what the socket heard, by sender. */
  async function converse(
    address: string,
    program: string,
  ): Promise<{ pid: number; heard: string[]; said: string }> {
    const socket = spawn(join(folder, 'notify-socket'), [address], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const lines = createInterface({ input: socket.stdout })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('listening');
      const child = spawn(
        join(folder, 'notify-exec'),
        [process.execPath, '--input-type=module', '-e', program],
        {
          env: { PATH: process.env['PATH'], NOTIFY_SOCKET: address, WATCHDOG_USEC: '4000000' },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const said: string[] = [];
      child.stdout.on('data', (data: Buffer) => said.push(data.toString()));
      await once(child, 'close');
      expect(child.exitCode).toBe(0);
      const heard: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => lines }) {
        heard.push(line);
        if (line.includes('STOPPING=1')) break;
      }
      return { pid: child.pid ?? 0, heard, said: said.join('') };
    } finally {
      socket.kill('SIGKILL');
    }
  }

  test.for(['path', 'abstract'])(
    'the agent speaks with its own pid over a socket of the kind: %s',
    async (kind) => {
      const address = kind === 'path' ? join(folder, 'socket') : `@redis-agent-test-${process.pid}`;
      const { pid, heard, said } = await converse(
        address,
        `import { openNotifier } from ${notify};
       const notifier = openNotifier(process.env);
       console.log(notifier.watchdogInterval);
       notifier.ready(); notifier.watchdog(); notifier.reloading(); notifier.stopping();`,
      );
      expect(said.trim()).toBe('4000');
      expect(heard).toEqual([
        `${pid} READY=1`,
        `${pid} WATCHDOG=1`,
        expect.stringMatching(new RegExp(`^${pid} RELOADING=1 MONOTONIC_USEC=\\d+$`)),
        `${pid} STOPPING=1`,
      ]);
    },
  );

  test('what the agent starts inherits neither the descriptor nor its number', async () => {
    const { said } = await converse(
      join(folder, 'inherited'),
      `import { openNotifier } from ${notify};
       import { execFileSync } from 'node:child_process';
       import { readlinkSync } from 'node:fs';
       const socket = readlinkSync('/proc/self/fd/' + process.env.REDIS_AGENT_NOTIFY_FD);
       const notifier = openNotifier(process.env);
       const found = execFileSync('sh', ['-c', 'ls -l /proc/self/fd; env']).toString();
       console.log(socket + '\\n' + found);
       notifier.stopping();`,
    );
    const [socket = '', ...rest] = said.split('\n');
    const found = rest.join('\n');
    expect(socket).toMatch(/^socket:/);
    expect(found).toContain(' 0 -> ');
    expect(found).not.toContain(socket);
    expect(found).not.toMatch(/NOTIFY|WATCHDOG/);
  });

  test('without a socket it only runs the program, and passes its status on', () => {
    const program = join(folder, 'notify-exec');
    const env = { PATH: process.env['PATH'], REDIS_AGENT_NOTIFY_FD: '7' };
    expect(
      execFileSync(program, ['sh', '-c', 'echo "${REDIS_AGENT_NOTIFY_FD-none}"'], { env }).toString(),
    ).toBe('none\n');
    expect(() => execFileSync(program, ['sh', '-c', 'exit 3'], { env })).toThrow(
      expect.objectContaining({ status: 3 }),
    );
    expect(() => execFileSync(program, ['/nonexistent'], { env, stdio: 'pipe' })).toThrow(
      expect.objectContaining({ status: 127 }),
    );
  });

  test('a socket that is gone is named, and the program still runs', () => {
    const result = execFileSync('sh', ['-c', `"${join(folder, 'notify-exec')}" echo started 2>&1`], {
      env: { PATH: process.env['PATH'], NOTIFY_SOCKET: join(folder, 'gone') },
    }).toString();
    expect(result).toBe(
      `notify-exec: cannot connect to ${join(folder, 'gone')}: No such file or directory\nstarted\n`,
    );
  });
});
