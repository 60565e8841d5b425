/** What the guard is told, as one line of JSON on its standard input. */
export interface GuardTask {
  /** Where the server is. */
  place: { host: string; port: number } | { path: string };
  /** Files as base64; null without TLS. */
  tls: { ca?: string; cert?: string; key?: string; servername?: string } | null;
  /** Arguments of AUTH; empty where there is none. */
  auth: string[];
  /** Where the server was told to find its master. */
  host: string;
  port: number;
}

/** Milliseconds: how often, and how long at most, it tries to set a server free. */
export interface GuardTimes {
  every: number;
  answer: number;
  atMost: number;
}

/**
 * The guard's whole program. It is run from its own text (see link-guard.ts), so it uses nothing from outside of itself:
 * no import, no name of this file. It waits for the end of its standard input. A line `done` before that ends it; else it
 * has the server that follows host:port follow nobody, sees to it that it does, and ends.
 */
export function guardProgram(times: GuardTimes): void {
  const net = process.getBuiltinModule('node:net');
  const tls = process.getBuiltinModule('node:tls');
  let told = '';
  let done = false;

  // oxlint-disable-next-line unicorn/consistent-function-scoping -- nothing is outside of this program
  const bytesOf = (text: string | undefined): Buffer | undefined =>
    text === undefined ? undefined : Buffer.from(text, 'base64');

  const ask = async (task: GuardTask, commands: string[][]): Promise<string> =>
    await new Promise((resolve, reject) => {
      const { ca, cert, key, servername } = task.tls ?? {};
      const files = {
        ca: bytesOf(ca),
        cert: bytesOf(cert),
        key: bytesOf(key),
        ...(servername === undefined ? {} : { servername }),
      };
      const socket = task.tls === null ? net.connect(task.place) : tls.connect({ ...task.place, ...files });
      let answer = '';
      const end = (error?: Error): void => {
        socket.destroy();
        if (error === undefined) resolve(answer);
        else reject(error);
      };
      socket.setTimeout(times.answer, () => end(new Error('silent')));
      socket.on('error', end);
      socket.on('close', () => end(new Error('closed')));
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString('latin1');
        // The last command is a PING, and nothing else is answered with that.
        if (answer.endsWith('+PONG\r\n') || answer.length > 1_000_000) end();
      });
      for (const words of [...commands, ['PING']])
        socket.write(
          `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
        );
    });

  /** Does it follow us still? undefined: it has ended. */
  const follows = async (task: GuardTask, first: string[][]): Promise<boolean | undefined> => {
    try {
      const auth = task.auth.length === 0 ? [] : [['AUTH', ...task.auth]];
      const info = await ask(task, [...auth, ...first, ['INFO', 'replication']]);
      const value = (name: string): string | undefined =>
        new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
      if (value('role') === undefined) return true;
      return (
        value('role') === 'slave' &&
        value('master_host') === task.host &&
        value('master_port') === String(task.port)
      );
    } catch (error) {
      const gone =
        error instanceof Error && 'code' in error && ['ECONNREFUSED', 'ENOENT'].includes(String(error.code));
      return gone ? undefined : true;
    }
  };

  const setFree = async (task: GuardTask): Promise<void> => {
    const start = Date.now();
    while (Date.now() - start < times.atMost) {
      if ((await follows(task, [])) !== true) return;
      if ((await follows(task, [['REPLICAOF', 'NO', 'ONE']])) !== true) return;
      await new Promise((resolve) => setTimeout(resolve, times.every));
    }
  };

  const settle = (): void => {
    const [line = ''] = told.split('\n');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own parent has written it
    const ended = done || line === '' ? Promise.resolve() : setFree(JSON.parse(line) as GuardTask);
    ended.then(
      // oxlint-disable-next-line no-process-exit unicorn/no-process-exit -- a process of its own
      () => process.exit(0),
      // oxlint-disable-next-line no-process-exit unicorn/no-process-exit -- as above
      () => process.exit(1),
    );
  };

  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {});
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (text: string) => {
    told += text;
    done = told.endsWith('\ndone\n');
  });
  process.stdin.on('end', settle);
  process.stdin.on('error', settle);
  process.stdout.on('error', () => {});
  process.stdout.write('ready\n');
}
