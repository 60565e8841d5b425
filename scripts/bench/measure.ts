import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { bundling } from '../lib/bundling.ts';

const root = join(import.meta.dirname, '../..');

/** Seconds. */
export interface Run {
  wall: number;
  /** User and system. */
  cpu: number;
}

/** A folder for `timed`, to be removed by the caller. */
export function benchFolder(): string {
  return mkdtempSync(join(tmpdir(), 'redis-agent-bench-'));
}

/**
 * Runs a program and waits for it; its output is dropped. Its descriptor 3 is the file `peak` in `folder`, for
 * print-peak.mjs: see `peakOf`.
 */
export function timed(folder: string, program: string, args: string[]): Run {
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

/** For node: what makes `timed` write down the peak memory. */
export const printPeak = ['--import', join(root, 'scripts/lib/print-peak.mjs')];

/** Of what `timed` ran last, with `printPeak`: MiB. */
export function peakOf(folder: string): number {
  return Number(readFileSync(join(folder, 'peak'), 'utf8')) / 1024;
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Of each round, since neighbours on a shared machine change the speed from round to round. */
export function medianRatio(ours: Run[], theirs: Run[], of: keyof Run): number {
  return median(ours.map((run, round) => run[of] / theirs[round]![of]));
}

/** `1.05 s (processor 1.60 s)` */
export function describeRuns(runs: Run[]): string {
  const of = (key: keyof Run): string => `${median(runs.map((run) => run[key])).toFixed(2)} s`;
  return `${of('wall')} (processor ${of('cpu')})`;
}

/**
 * Bundles a program in TypeScript as dist/ is bundled, into `folder`, and returns its path: what is shipped does not pay
 * for the stripping of types at each start.
 */
export function bundle(program: string, folder: string): string {
  const name = basename(program, '.ts');
  buildSync({
    entryPoints: { [name]: program },
    outdir: join(folder, 'bundle'),
    ...bundling,
  });
  return join(folder, 'bundle', `${name}.mjs`);
}
