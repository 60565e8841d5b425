import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { examine } from '../../test/support/rdb/examine.ts';
import { featureFiles } from '../../test/support/rdb/feature-files.ts';
import { mutate, type Input } from '../../test/support/rdb/mutate.ts';
import { RdbReader } from '../../src/formats/rdb/rdb-reader.ts';
import { randomNumbers } from '../../test/support/rdb/style.ts';
import { watchAllocations } from './allocations.ts';
import { Coverage } from './coverage.ts';

export interface FuzzOrder {
  seed: number;
  /** ms since 1970. */
  until: number;
  seeds: string;
  /** What is being read now, for whoever watches: a counter, the length, the bytes. */
  now: SharedArrayBuffer;
}

export interface FuzzReport {
  inputs: number;
  corpus: number;
  kept: number;
  crashes: string[];
  coverage: Record<string, number>;
}

const batch = 100;
const slowest = 1000;
const largest = 64 * 1024 * 1024;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- started by rdb.ts alone
const order = workerData as FuzzOrder;
const allocated = watchAllocations();
const coverage = new Coverage(/\/src\/formats\/rdb\//);
const corpus: Input[] = [];
const crashes = new Map<string, string>();
const words = new Int32Array(order.now, 0, 2);
const shown = new Uint8Array(order.now, 8);
let inputs = 0;
let kept = 0;

function run(bytes: Buffer, chunks: number[]): string | undefined {
  shown.set(bytes.subarray(0, shown.length));
  Atomics.store(words, 1, bytes.length);
  Atomics.add(words, 0, 1);
  const before = process.memoryUsage.rss();
  allocated.largest = 0;
  const from = performance.now();
  let problem: string | undefined;
  try {
    problem = examine(bytes, chunks);
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const took = performance.now() - from;
  const grown = process.memoryUsage.rss() - before;
  if (took > slowest) problem ??= `takes ${Math.round(took)} ms`;
  if (grown > largest) problem ??= `takes ${grown} bytes of memory`;
  // LZF makes 88 bytes of one, and buffers grow by doubling. A report's tables are some megabytes, whatever is read.
  if (allocated.largest > 3 * 1024 * 1024 + 200 * bytes.length)
    problem ??= `asks for ${allocated.largest} bytes at once`;
  return problem;
}

/** Where records begin, as far as it can be read. */
function marksOf(bytes: Buffer): number[] {
  const marks = [9, bytes.length - 9];
  try {
    new RdbReader({ record: ({ offset, keyBytes }) => marks.push(offset, offset + 2 + keyBytes) }).update(
      bytes,
    );
  } catch {
    // up to its first fault
  }
  return [...new Set(marks)].toSorted((a, b) => a - b);
}

function save(folder: string, name: string, bytes: Buffer): void {
  writeFileSync(join(order.seeds, folder, `${name}.rdb`), bytes);
}

function note(bytes: Buffer, problem: string, seed: number): void {
  // One of a kind is enough.
  const kind = problem.replaceAll(/0x[0-9a-f]+|[0-9a-f]{6,}|\d+/g, '#').slice(0, 160);
  if (crashes.has(kind) || crashes.size >= 40) return;
  const name = `run${order.seed}-input${seed}`;
  crashes.set(kind, `${name}: ${problem}`);
  save('crashes', name, bytes);
}

function chunksOf(seed: number): number[] {
  const random = randomNumbers(seed);
  const most = random() < 0.3 ? 2 : random() < 0.5 ? 30 : 3000;
  return Array.from({ length: 1 + Math.floor(random() * 4) }, () => 1 + Math.floor(random() * most));
}

function report(): void {
  const summary: FuzzReport = {
    inputs,
    corpus: corpus.length,
    kept,
    crashes: [...crashes.values()],
    coverage: coverage.shares(),
  };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(summary);
}

for (const name of readdirSync(order.seeds).filter((file) => file.endsWith('.rdb')))
  addInput(readFileSync(join(order.seeds, name)));
for (const checksum of [true, false]) for (const { file } of featureFiles(checksum)) addInput(file.bytes);

function addInput(bytes: Buffer): void {
  corpus.push({ bytes, marks: marksOf(bytes) });
  const problem = run(bytes, [7, 1]);
  if (problem !== undefined) note(bytes, problem, corpus.length);
}

coverage.take(true);
report();
const random = randomNumbers(order.seed);
const pick = (): Input => {
  // What was found last is looked at more often.
  const at =
    random() < 0.3
      ? corpus.length - 1 - Math.floor(random() * Math.min(50, corpus.length))
      : Math.floor(random() * corpus.length);
  return corpus[at] ?? { bytes: Buffer.alloc(0), marks: [] };
};
let said = Date.now();
while (Date.now() < order.until) {
  const made: Buffer[] = [];
  for (let turn = 0; turn < batch; turn++) {
    const seed = ++inputs;
    const bytes = mutate(pick(), pick(), order.seed * 1_000_003 + seed);
    made.push(bytes);
    const problem = run(bytes, chunksOf(seed));
    if (problem !== undefined) note(bytes, problem, seed);
  }
  if (coverage.take(false) > 0) keepNew(made);
  if (Date.now() - said > 30_000) {
    said = Date.now();
    report();
  }
}
report();

/** Runs a batch again, one by one, to see which of it reach what none has. */
function keepNew(made: Buffer[]): void {
  for (const bytes of made) {
    void run(bytes, [bytes.length, 3]);
    if (coverage.take(true) === 0) continue;
    corpus.push({ bytes, marks: marksOf(bytes) });
    if (bytes.length > 2000 || kept >= 300) continue;
    kept++;
    save('.', createHash('sha256').update(bytes).digest('hex').slice(0, 12), bytes);
  }
}
