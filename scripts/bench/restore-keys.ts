/**
 * A logical restore of a whole dump into an empty server, as a whole process, against
 *
 *   redis-cli --pipe < FILE      with RESTORE of the values as the dump has them, written into FILE before
 *
 *   scripts/node scripts/bench/restore-keys.ts [--rounds 3] [--only 1gb|small|big] [--agent dist/main.mjs]
 *
 * Rounds alternate, each into a new server; figures are medians. Ours reads the dump twice, since only its end tells that
 * it is sound, makes the commands, expands what is compressed, and counts the answers. Data: a realistic gibibyte, 10 M
 * small keys, and values of 1 to 8 MiB. Needs scripts/build.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { abilitiesOf, judgeTarget } from '../../src/backup/restore-keys/judge-target.ts';
import { KeyWriter } from '../../src/backup/restore-keys/key-writer.ts';
import { TimesToLive } from '../../src/backup/restore-keys/times-to-live.ts';
import { Tally } from '../../src/backup/restore-keys/tally.ts';
import { parseInfo } from '../../src/formats/info/parse-info.ts';
import { RdbReader } from '../../src/formats/rdb/rdb-reader.ts';
import { fileSource } from '../../src/jobs/keys/key-source.ts';
import { CommandWriter } from '../../src/redis/pipe/command-writer.ts';
import type { Pipe } from '../../src/redis/pipe/pipe.ts';
import { startServer, type TestServer } from '../../test/support/servers/redis-server.ts';
import { benchCache, benchDump, parseBytes, smallDump } from './make-dump.ts';

const target = { ratio: 1, rss: 200 };
const root = join(import.meta.dirname, '../..');

interface Run {
  seconds: number;
  /** Processor time of it and of the server, seconds: what is left to say where others keep the machine busy. */
  processor: number;
  /** Peak memory of the process, MiB. */
  rss: number;
}

type Client = Omit<Run, 'processor'> & { times: string };

function run(program: string, args: string[], stdin: number | 'ignore', folder: string): Client {
  const [peak, spent] = [join(folder, 'peak'), join(folder, 'times')];
  const script = 'exec 3>"$0"; spent=$1; shift; "$@" || exit; times >"$spent"';
  const start = performance.now();
  const { status, stdout } = spawnSync('/bin/sh', ['-c', script, peak, spent, program, ...args], {
    stdio: [stdin, 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${program} exited with ${status}: ${stdout}`);
  const times = readFileSync(spent, 'utf8');
  return { seconds, times, rss: Number(readFileSync(peak, 'utf8').trim() || 0) / 1024 };
}

function ours(server: TestServer, dump: string, agent: string, folder: string): Client {
  const print = ['--import', join(root, 'scripts/lib/print-peak.mjs')];
  const words = ['restore', dump, '--keys', '*', '--into', server.url, '--yes', '--quiet'];
  return run(process.execPath, [...print, agent, ...words], 'ignore', folder);
}

function theirs(server: TestServer, commands: string, folder: string): Client {
  const stdin = openSync(commands, 'r');
  try {
    return run(server.build.cli, ['-p', String(server.port), '--pipe'], stdin, folder);
  } finally {
    closeSync(stdin);
  }
}

/** Writes what ours would send to a server elsewhere that takes nothing but RESTORE. Its probes are left out. */
async function prepare(server: TestServer, dump: string, path: string): Promise<void> {
  const file = openSync(path, 'w');
  const out = new CommandWriter();
  const flush = (all: boolean): void => {
    for (const block of out.take(all)) {
      writeSync(file, block);
      out.release(block);
    }
  };
  const name = 'bench';
  const place = judgeTarget(parseInfo(String(await server.call('INFO'))), { name, url: server.url });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of it that the writer uses
  const pipe = { out, target: { name, url: server.url }, commit: () => flush(false) } as unknown as Pipe;
  const writer = new KeyWriter(pipe, {
    target: abilitiesOf(place),
    ways: {
      restore: true,
      builds: false,
      near: false,
      why: null,
      unable: undefined,
      lacks: () => undefined,
      probeKey: 'redis-agent:probe',
    },
    selects: () => true,
    ttl: new TimesToLive(),
    toDatabase: undefined,
    skipDamaged: false,
    only: undefined,
    built: undefined,
    again: true,
    existing: 'stop',
    tally: new Tally(),
    from: 0,
    doubtfulTo: 0,
    temporary: [''],
  });
  writer.now = Date.now();
  const reader = new RdbReader(writer);
  for await (const chunk of (await fileSource(dump)).open(new AbortController().signal)) reader.update(chunk);
  reader.finish();
  flush(true);
  closeSync(file);
}

/** Hashes, lists and strings of 1 to 8 MiB each, 600 MiB in all. */
async function bigDump(): Promise<string> {
  const path = join(benchCache(), 'dump-big-values.rdb');
  if (existsSync(path)) return path;
  await using server = await startServer({ config: { rdbcompression: 'no' } });
  const script = `
    local value = tonumber(ARGV[1])
    local noise, parts = redis.sha1hex(value), {}
    for part = 1, 1024 * (1 + value % 8) do
      noise = redis.sha1hex(noise)
      parts[part] = string.rep(noise, 25)
      if value % 3 == 0 then redis.call('HSET', 'hash:' .. value, 'field:' .. part, parts[part]) end
      if value % 3 == 1 then redis.call('RPUSH', 'list:' .. value, parts[part]) end
    end
    if value % 3 == 2 then redis.call('SET', 'string:' .. value, table.concat(parts)) end`;
  for (let value = 1; value <= 136; value++) await server.call('EVAL', script, 0, value);
  await server.call('SAVE');
  copyFileSync(server.dumpPath, `${path}.tmp`);
  renameSync(`${path}.tmp`, path);
  return path;
}

/** Of the shell's children: the second line of `times`, as in `0m1.52s 0m0.31s`. */
function clientSeconds(times: string): number {
  const [, line = ''] = times.split('\n');
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, m, s]) => sum + 60 * Number(m) + Number(s),
    0,
  );
}

async function serverSeconds(server: TestServer): Promise<number> {
  const info = String(await server.call('INFO', 'cpu'));
  return [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].reduce((sum, [, s]) => sum + Number(s), 0);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function compare(name: string, dump: string, rounds: number, agent: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  const commands = join(folder, 'commands');
  const mine: Run[] = [];
  const other: Run[] = [];
  const sizes: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const which of round % 2 === 0 ? [other, mine] : [mine, other]) {
        await using server = await startServer({ config: { databases: '16' } });
        if (!existsSync(commands)) await prepare(server, dump, commands);
        const before = await serverSeconds(server);
        const { times, ...client } =
          which === mine ? ours(server, dump, agent, folder) : theirs(server, commands, folder);
        const processor = clientSeconds(times) + (await serverSeconds(server)) - before;
        which.push({ ...client, processor });
        sizes.push(Number(await server.call('DBSIZE')));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  // Some keys of the data expire meanwhile.
  if (Math.min(...sizes) < 0.999 * Math.max(...sizes))
    throw new Error(`not the same keys: ${sizes.join(', ')}`);
  const told = (what: 'seconds' | 'processor'): string => {
    const [we, they] = [median(mine.map((each) => each[what])), median(other.map((each) => each[what]))];
    return `${we.toFixed(2)} s and ${they.toFixed(2)} s: ${(we / they).toFixed(2)}`;
  };
  console.log(
    `${name.padEnd(5)} restore --into and redis-cli --pipe took ${told('seconds')} (target ${target.ratio}), ` +
      `with the server ${told('processor')} of processor time; ` +
      `peak RSS ${Math.max(...mine.map(({ rss }) => rss)).toFixed(0)} MiB (target ${target.rss})`,
  );
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    agent: { type: 'string', default: join(root, 'dist/main.mjs') },
  },
});
const dumps = { '1gb': () => benchDump(parseBytes('1gb')), small: smallDump, big: bigDump };
for (const [name, make] of Object.entries(dumps))
  if (values.only === undefined || values.only === name)
    await compare(name, await make(), Number(values.rounds), resolve(values.agent));
