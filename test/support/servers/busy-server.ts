import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { MovingClock } from '../clocks/moving-clock.ts';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';
import { compile } from './compiler.ts';
import { giveToServer } from './server-user.ts';
import { defaultBuild, startServer, type TestServer } from './redis-server.ts';

/** A clock that goes forward with the server's, in steps, of each of which the agent sees something. */
export interface ClockOfBoth {
  now(): number;
  forward(ms: number): Promise<void>;
  /** All at once. */
  jump(ms: number): Promise<void>;
}

interface BusyServer {
  server: TestServer;
  /** The server's clock alone, forward. */
  shift(ms: number): void;
  moving(clock: MovingClock): ClockOfBoth;
}

const hour = 3_600_000;
const step = 12 * hour;

/**
 * A server whose days are those of the test, and which is used: by day more than at night, each week has its slow command, and
 * what it holds grows. Ends with the test.
 */
export async function startBusyServer(): Promise<BusyServer> {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const build = defaultBuild();
  const [library, shift, program] = ['time-shift.so', 'shift', 'redis-server'].map((name) =>
    join(folder, name),
  );
  compile('test/support/servers/time-shift.c', library!, { shared: true });
  writeFileSync(shift!, Buffer.alloc(8));
  writeFileSync(
    program!,
    `#!/bin/sh\nTIME_SHIFT_FILE='${shift}' LD_PRELOAD='${library}' exec '${build.server}' "$@"\n`,
  );
  chmodSync(program!, 0o755);
  giveToServer(folder);
  const server = await startServer({
    build: { ...build, server: program! },
    config: { maxmemory: '100mb', save: '3600 1' },
  });
  const file = openSync(shift!, 'r+');
  onTestFinished(() => closeSync(file));
  let [ahead, steps] = [0, 0];

  async function use(hours: number): Promise<void> {
    steps += 1;
    const busy = 1 + Math.sin(((hours - 9) * Math.PI) / 12);
    await server.call('DEBUG', 'POPULATE', steps * 40, 'user', 4096);
    await server.call('EVAL', sessions, 0, steps, Math.round(5 + 10 * busy));
    await server.call('EVAL', lookUps, 0, Math.round(500 + 2500 * busy), steps * 43);
    if (steps % 21 === 8) await server.call('EVAL', slow, 0);
  }

  const put = (ms: number): void => void writeSync(file, bytesOf((ahead += ms)), 0, 8, 0);

  return {
    server,
    shift: put,
    moving(clock) {
      const jump = async (ms: number): Promise<void> => {
        await use(new Date(clock.now() + ms).getUTCHours());
        const before = await pings(server);
        put(ms);
        clock.forward(ms);
        // What is shorter than a poll's pause brings none.
        if (ms >= 30_000) await expect.poll(() => pings(server), { interval: 5 }).toBeGreaterThan(before);
      };
      return {
        now: () => clock.now(),
        jump,
        async forward(ms) {
          for (let left = ms; left > 0; left -= step) await jump(Math.min(step, left));
        },
      };
    },
  };
}

const sessions = "for i=1,ARGV[2] do redis.call('SET','session:'..ARGV[1]..'-'..i,'x','EX',86400) end";
const lookUps = "for i=1,ARGV[1] do redis.call('GET','user:'..math.random(0,ARGV[2])) end";
const slow =
  "local t=redis.call('TIME') repeat local n=redis.call('TIME') until (n[1]-t[1])*1e6+n[2]-t[2]>20000";

function bytesOf(ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(Math.round(ms)));
  return bytes;
}

async function pings(server: TestServer): Promise<number> {
  return Number(/cmdstat_ping:calls=(\d+)/.exec(String(await server.call('INFO', 'commandstats')))?.[1]);
}
