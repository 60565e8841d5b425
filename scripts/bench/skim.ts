/**
 * What reading every record, with the key-space report, adds to a backup: an existing dump through a backup's pipeline
 * (SHA-256, CRC64, zstd, SHA-256 of what is stored) into nothing, against the same pipeline that looks at header, end
 * and CRC64 alone:
 *
 *   scripts/node scripts/bench/skim.ts [--rounds 5] [--size 1gb]
 *
 * Each run is a process of its own, in turns; wall time from start to exit, and seconds of processor time, user and
 * system, which a busy machine changes less. Medians of each round's ratio. The dump is in the page cache.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { compressFile } from '../../src/backup/artefact/compress-file.ts';
import { encodeRdb } from '../../src/backup/artefact/encode.ts';
import { RdbEnvelope } from '../../src/formats/rdb/rdb-envelope.ts';
import { KeyspaceReport } from '../../src/keyspace/report.ts';
import { benchDump, parseBytes, smallDump } from './make-dump.ts';

const target = 1.1;

interface Run {
  wall: number;
  cpu: number;
  /** MiB */
  rss: number;
}

/** As a backup does it. */
async function withReading(path: string): Promise<void> {
  const { signal } = new AbortController();
  await using handle = await open(path);
  const listener = new KeyspaceReport({ now: Date.now() });
  const { size } = await handle.stat();
  const encoding = encodeRdb(
    { handle, bytes: size },
    { compression: { zstd: 1 }, recipients: [], signal, listener },
  );
  for await (const _ of encoding.chunks);
  if (!('types' in encoding.result().content)) throw new Error('the dump could not be read');
  listener.summary();
}

/** The same in the same strides, without RdbReader. */
async function withEnvelope(path: string): Promise<void> {
  const { signal } = new AbortController();
  await using handle = await open(path);
  const { size } = await handle.stat();
  const envelope = new RdbEnvelope(size);
  const [plain, stored] = [createHash('sha256'), createHash('sha256')];
  const stride = 256 * 1024;
  const onBlock = (block: Uint8Array): void => {
    for (let at = 0; at < block.length; at += stride) {
      const part = block.subarray(at, at + stride);
      plain.update(part);
      envelope.update(part);
    }
  };
  for await (const chunk of compressFile({ handle, bytes: size }, { level: 1, signal, onBlock }))
    stored.update(chunk);
  plain.digest();
  stored.digest();
  if (!envelope.finish().sound) throw new Error('the dump is not sound');
}

/** One run in a process of its own. */
function run(mode: 'reading' | 'envelope', dump: string): Run {
  const start = performance.now();
  const argv = ['--disable-warning=ExperimentalWarning', import.meta.filename, '--once', mode, dump];
  const [cpu, rss] = execFileSync(process.execPath, argv, { encoding: 'utf8' }).split(' ').map(Number);
  return { wall: (performance.now() - start) / 1000, cpu: cpu!, rss: rss! };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function compare(name: string, dump: string, rounds: number): void {
  const reading: Run[] = [];
  const envelope: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    const runs = [
      () => void envelope.push(run('envelope', dump)),
      () => void reading.push(run('reading', dump)),
    ];
    for (const each of round % 2 === 0 ? runs : runs.toReversed()) each();
  }
  const ratio = (of: 'wall' | 'cpu'): string =>
    median(reading.map((each, round) => each[of] / envelope[round]![of])).toFixed(2);
  const seconds = (runs: Run[], of: 'wall' | 'cpu'): string =>
    median(runs.map((each) => each[of])).toFixed(2);
  console.log(
    `${name.padEnd(6)} envelope ${seconds(envelope, 'wall')} s (processor ${seconds(envelope, 'cpu')} s), ` +
      `every record and the report ${seconds(reading, 'wall')} s (${seconds(reading, 'cpu')} s): ` +
      `${ratio('wall')} of the time, ${ratio('cpu')} of the processor's (target ${target}); ` +
      `peak RSS ${Math.max(...reading.map(({ rss }) => rss)).toFixed(0)} MiB`,
  );
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    once: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    size: { type: 'string', default: '1gb' },
  },
});
if (values.once) {
  const [mode, dump = ''] = positionals;
  await (mode === 'reading' ? withReading(dump) : withEnvelope(dump));
  const { user, system } = process.cpuUsage();
  console.log(`${(user + system) / 1e6} ${process.resourceUsage().maxRSS / 1024}`);
} else {
  compare(values.size, await benchDump(parseBytes(values.size)), Number(values.rounds));
  compare('small', await smallDump(), Number(values.rounds));
}
