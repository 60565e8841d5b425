import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchDump, parseBytes, smallDump } from './make-dump.ts';

const target = { ratio: 0.2, rss: 100 };
const root = join(import.meta.dirname, '../..');

function timed(program: string, args: string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${program} exited with ${status}: ${stderr}`);
  return (performance.now() - start) / 1000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/**
 * Prints how long the built agent takes with `command DUMP`, as a whole process, and redis-check-rdb with the same dump:
 * the one of mixed data and the one of small keys, in turns; medians, and the agent's peak memory.
 */
export async function besideCheckRdb(command: string[], rounds: number): Promise<void> {
  const agent = join(root, 'dist/main.mjs');
  if (!existsSync(agent)) throw new Error('dist/ is missing: run scripts/build first');
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
  const peak = join(folder, 'peak');
  const argv = ['--import', join(root, 'scripts/lib/print-peak.mjs'), agent, ...command];
  try {
    for (const [name, dump] of [
      ['1gb', await benchDump(parseBytes('1gb'))],
      ['small', await smallDump()],
    ] as const) {
      const ours: number[] = [];
      const theirs: number[] = [];
      const memory: number[] = [];
      for (let round = 0; round < rounds; round++) {
        theirs.push(timed('redis-check-rdb', [dump]));
        ours.push(timed('/bin/sh', ['-c', 'exec 3>"$0"; exec "$@"', peak, process.execPath, ...argv, dump]));
        memory.push(Number(readFileSync(peak, 'utf8')) / 1024);
      }
      console.log(
        `${name.padEnd(6)} ${command.join(' ')} ${median(ours).toFixed(2)} s, redis-check-rdb ${median(theirs).toFixed(2)} s: ` +
          `${(median(ours) / median(theirs)).toFixed(2)} (target ${target.ratio}); ` +
          `peak RSS ${Math.max(...memory).toFixed(0)} MiB (target ${target.rss})`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
