/**
 * A restore by files, from the first byte fetched to files that are proven and placed, against what people do by hand:
 *
 *   scripts/node scripts/bench/restore-files.ts [--size 1gb] [--rounds 3]
 *
 *   zstd -d dump.rdb.zst, then start the server with that file and wait for loading:0
 *
 * Rounds alternate; figures are medians. The whole command, with the server's own load at its end, is timed too. Needs zstd
 * and scripts/build.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectRedis } from '../../src/redis/connection/connect.ts';
import { freePort } from '../../test/support/servers/free-port.ts';
import { defaultBuild } from '../../test/support/servers/server-builds.ts';
import { giveToServer, serviceUser } from '../../test/support/servers/server-user.ts';
import { againstByHand, agent, configure, median } from './restore-peer.ts';

const target = { ratio: 1.05, rss: 200 };

interface Ours {
  /** Fetched, decoded, proven and placed. */
  placed: number;
  whole: number;
  rss: number;
  steps: Record<string, number>;
}

/** Into a server that is down; the restore starts it. */
async function files(folder: string, id: string): Promise<Ours> {
  const place = mkdtempSync(join(folder, 'target-'));
  chmodSync(place, 0o755);
  const dir = join(place, 'data');
  mkdirSync(dir);
  giveToServer(dir);
  const port = await freePort();
  const conf = join(place, 'redis.conf');
  const url = `redis://127.0.0.1:${port}`;
  writeFileSync(conf, `port ${port}\nbind 127.0.0.1\ndir ${dir}\nsave ""\nlogfile redis.log\n`);
  configure(folder, { url, service: { ...serviceUser, start: [defaultBuild().server, conf] } });
  try {
    const { stdout, seconds, rss } = agent(folder, 'restore', id, '--method', 'files', '--yes');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command documents
    const { seconds: steps } = JSON.parse(stdout) as { seconds: Record<string, number> };
    const placed = ['stage', 'verify', 'place'].reduce((sum, name) => sum + (steps[name] ?? 0), 0);
    return { placed, whole: seconds, rss, steps };
  } finally {
    await end(url);
    rmSync(place, { recursive: true });
  }
}

async function end(url: string): Promise<void> {
  const connection = await connectRedis({ name: 'bench', url });
  // It closes the connection instead of an answer.
  await connection.call('SHUTDOWN', 'NOSAVE').catch(() => {});
  connection.close();
}

const { size, theirs, ours } = await againstByHand(files);
const [placed, whole] = [median(ours.map((run) => run.placed)), median(ours.map((run) => run.whole))];
const rss = Math.max(...ours.map((run) => run.rss));
const steps = Object.entries(ours.at(-1)?.steps ?? {}).map(
  ([name, seconds]) => `${name} ${seconds.toFixed(2)}`,
);
console.log(
  `${size}: zstd -d and load ${theirs.toFixed(2)} s; proven and placed ${placed.toFixed(2)} s: ` +
    `${(placed / theirs).toFixed(2)} (target ${target.ratio}); whole command ${whole.toFixed(2)} s: ` +
    `${(whole / theirs).toFixed(2)}; peak RSS ${rss.toFixed(0)} MiB (target ${target.rss}); ${steps.join(', ')}`,
);
