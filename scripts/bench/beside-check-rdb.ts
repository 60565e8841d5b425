import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { benchDump, parseBytes, smallDump } from './make-dump.ts';
import { benchFolder, describeRuns, medianRatio, peakOf, printPeak, timed, type Run } from './measure.ts';

const target = { checkRdb: 0.2, hdt: 0.15, rss: 100 };

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
  const agent = join(import.meta.dirname, '../../dist/main.mjs');
  if (!existsSync(agent)) throw new Error('dist/ is missing: run scripts/build first');
  const hdt = findHdt();
  if (hdt === undefined)
    console.log('HDT3213/rdb is not to be had here (neither rdb on PATH nor $HDT_RDB): no figure beside it');
  const folder = benchFolder();
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
        ours.push(timed(folder, process.execPath, [...printPeak, agent, ...command, dump]));
        memory.push(peakOf(folder));
        if (hdt !== undefined) others.push(timed(folder, hdt, ['-c', 'bigkey', '-n', '20', dump]));
      }
      const rss = Math.max(...memory).toFixed(0);
      console.log(
        `${name.padEnd(6)} ${command.join(' ')} ${describeRuns(ours)}; peak RSS ${rss} MiB (target ${target.rss})`,
      );
      compare('redis-check-rdb', ours, checkRdb, target.checkRdb);
      if (hdt !== undefined) compare('HDT3213/rdb', ours, others, target.hdt);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compare(peer: string, ours: Run[], theirs: Run[], aim: number): void {
  const [wall, cpu] = [medianRatio(ours, theirs, 'wall'), medianRatio(ours, theirs, 'cpu')];
  console.log(
    `       ${peer} ${describeRuns(theirs)}: ${wall.toFixed(2)} of its time (target ${aim}), ` +
      `${cpu.toFixed(2)} of its processor time`,
  );
}
