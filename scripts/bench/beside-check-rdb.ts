import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchDump, parseBytes, smallDump } from './make-dump.ts';

const target = { checkRdb: 0.2, hdt: 0.15, rss: 100 };
const root = join(import.meta.dirname, '../..');

interface Run {
  wall: number;
  /** User and system. */
  cpu: number;
}

/** Seconds that a program takes, of the clock and of the processor. `folder`: for what is written down meanwhile. */
function timed(folder: string, program: string, args: string[]): Run {
  const script = 'exec 3>"$0/peak"; "$@"; status=$?; times >"$0/times"; exit $status';
  const start = performance.now();
  const { status, stderr } = spawnSync('/bin/sh', ['-c', script, folder, program, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const wall = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${program} exited with ${status}: ${stderr}`);
  // The second line is the program's: `0m1.05s 0m0.12s`.
  const [, children = ''] = readFileSync(join(folder, 'times'), 'utf8').split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return {
    wall,
    cpu: parts.reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0),
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** HDT3213/rdb, where it is: $HDT_RDB or `rdb`, if that is the one. */
function findHdt(): string | undefined {
  const program = process.env['HDT_RDB'] || 'rdb';
  const { stdout, stderr } = spawnSync(program, [], { encoding: 'utf8', timeout: 10_000 });
  return /parse Redis' RDB files/.test(`${stdout}${stderr}`) ? program : undefined;
}

/**
 * Prints how long the built agent takes with `command DUMP`, as a whole process, beside redis-check-rdb with the same
 * dump, and beside `rdb -c bigkey` of HDT3213/rdb where that is installed: the dump of mixed data and the one of small
 * keys, in turns. Medians of each round's ratio, of the clock's and the processor's time, and the agent's peak memory.
 */
export async function besideCheckRdb(command: string[], rounds: number): Promise<void> {
  const agent = join(root, 'dist/main.mjs');
  if (!existsSync(agent)) throw new Error('dist/ is missing: run scripts/build first');
  const hdt = findHdt();
  if (hdt === undefined)
    console.log('HDT3213/rdb is not to be had here (neither rdb on PATH nor $HDT_RDB): no figure beside it');
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  const argv = ['--import', join(root, 'scripts/lib/print-peak.mjs'), agent, ...command];
  try {
    for (const [name, dump] of [
      ['1gb', await benchDump(parseBytes('1gb'))],
      ['small', await smallDump()],
    ] as const) {
      const ours: Run[] = [];
      const checkRdb: Run[] = [];
      const others: Run[] = [];
      const memory: number[] = [];
      for (let round = 0; round < rounds; round++) {
        checkRdb.push(timed(folder, 'redis-check-rdb', [dump]));
        ours.push(timed(folder, process.execPath, [...argv, dump]));
        memory.push(Number(readFileSync(join(folder, 'peak'), 'utf8')) / 1024);
        if (hdt !== undefined) others.push(timed(folder, hdt, ['-c', 'bigkey', '-n', '20', dump]));
      }
      console.log(
        `${name.padEnd(6)} ${command.join(' ')} ${timesOf(ours)}; peak RSS ${Math.max(...memory).toFixed(0)} MiB (target ${target.rss})`,
      );
      console.log(`       redis-check-rdb ${timesOf(checkRdb)}: ${ratio(ours, checkRdb, target.checkRdb)}`);
      if (hdt !== undefined)
        console.log(`       HDT3213/rdb ${timesOf(others)}: ${ratio(ours, others, target.hdt)}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function timesOf(runs: Run[]): string {
  const [wall, cpu] = [median(runs.map((run) => run.wall)), median(runs.map((run) => run.cpu))];
  return `${wall.toFixed(2)} s (processor ${cpu.toFixed(2)} s)`;
}

function ratio(ours: Run[], theirs: Run[], aim: number): string {
  const of = (key: keyof Run): string =>
    median(ours.map((run, round) => run[key] / theirs[round]![key])).toFixed(2);
  return `${of('wall')} of its time (target ${aim}), ${of('cpu')} of its processor time`;
}
