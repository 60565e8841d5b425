/**
 * A live restore of a verified backup, from REPLICAOF to everything loaded, against what people do by hand:
 *
 *   scripts/node scripts/bench/restore-live.ts [--size 1gb] [--rounds 3]
 *
 *   zstd -d dump.rdb.zst, then start the server with that file and wait for loading:0
 *
 * Rounds alternate; figures are medians. The whole command is timed too: with every value decoded before, and saved by
 * the server afterwards. Needs zstd and scripts/build.
 */
import { startServer } from '../../test/support/servers/redis-server.ts';
import { againstByHand, agent, configure, median } from './restore-peer.ts';

const target = { ratio: 0.75, rss: 200 };

interface Ours {
  load: number;
  whole: number;
  rss: number;
}

async function live(folder: string, id: string): Promise<Ours> {
  await using server = await startServer();
  configure(folder, server);
  const { stdout, seconds, rss } = agent(folder, 'restore', id, '--method', 'live', '--yes');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command documents
  const { restored } = JSON.parse(stdout) as { restored: { seconds: { load: number } } };
  return { load: restored.seconds.load, whole: seconds, rss };
}

const { size, theirs, ours } = await againstByHand(live);
const [load, whole] = [median(ours.map((run) => run.load)), median(ours.map((run) => run.whole))];
const rss = Math.max(...ours.map((run) => run.rss));
console.log(
  `${size}: zstd -d and load ${theirs.toFixed(2)} s; live ${load.toFixed(2)} s: ${(load / theirs).toFixed(2)} ` +
    `(target ${target.ratio}); with every value decoded before and a save afterwards ${whole.toFixed(2)} s: ` +
    `${(whole / theirs).toFixed(2)}; peak RSS ${rss.toFixed(0)} MiB (target ${target.rss})`,
);
