/**
 * What a command costs before it does anything: `--version` from the checkout and from dist/ against an empty program
 * on the same node, in turns. Medians, and ratios to the empty program.
 * Run: scripts/build && scripts/node scripts/bench/startup.ts
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const rounds = 15;
const root = join(import.meta.dirname, '../..');
const built = join(root, 'dist/main.mjs');
if (!existsSync(built)) throw new Error('dist/ is missing: run scripts/build first');

const candidates: { name: string; command: string[]; times: number[] }[] = [
  { name: 'node -e 0', command: [process.execPath, '-e', '0'], times: [] },
  { name: 'dist/main.mjs --version', command: [process.execPath, built, '--version'], times: [] },
  {
    name: 'src/main.ts --version',
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(root, 'src/main.ts'),
      '--version',
    ],
    times: [],
  },
  {
    name: 'scripts/redis-agent --version',
    command: [join(root, 'scripts/redis-agent'), '--version'],
    times: [],
  },
];

/** Wall time of one run in milliseconds. */
function run([program = '', ...args]: string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${String(stderr)}`);
  return performance.now() - start;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

for (const { command } of candidates) run(command);
for (let round = 0; round < rounds; round++) {
  for (const { command, times } of candidates) times.push(run(command));
}
const base = median(candidates[0]?.times ?? []);
console.log(`${rounds} runs each, in turns; median, and ratio to bare node (at most 3 is the aim)`);
for (const { name, times } of candidates) {
  const time = median(times);
  console.log(`${name.padEnd(32)} ${time.toFixed(1).padStart(7)} ms  ${(time / base).toFixed(2)}`);
}
