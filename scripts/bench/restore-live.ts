/**
 * A live restore of a verified backup, from REPLICAOF to everything loaded, against what people do by hand:
 *
 *   scripts/node scripts/bench/restore-live.ts [--size 1gb] [--rounds 3]
 *
 *   zstd -d dump.rdb.zst, then start the server with that file and wait for loading:0
 *
 * Rounds alternate; figures are medians. The first restore reads every value and has a scratch server load it before; the
 * later ones know it of the first. The whole command is timed too, with the server's own save at its end. Needs zstd and
 * scripts/build.
 */
import { startServer } from '../../test/support/servers/redis-server.ts';
import { againstByHand, agent, configure, median } from './restore-peer.ts';

const target = { ratio: 0.75, served: 1.2, rss: 200 };

interface Ours {
  load: number;
  /** From the start to served data: read value by value and loaded in a scratch server first, unless it is known. */
  served: number;
  whole: number;
  rss: number;
}

async function live(folder: string, id: string): Promise<Ours> {
  await using server = await startServer();
  configure(folder, server);
  const { stdout, seconds, rss } = agent(folder, 'restore', id, '--method', 'live', '--yes');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the command documents
  const { restored } = JSON.parse(stdout) as {
    restored: { seconds: { verify: number; load: number; settle: number } };
  };
  const { verify, load, settle } = restored.seconds;
  // All that the command does before it looks at the server counts, too.
  return { load, served: Math.max(verify + load, seconds - settle), whole: seconds, rss };
}

const { size, theirs, ours } = await againstByHand(live);
const [first, ...later] = ours;
const load = median(ours.map((run) => run.load));
const rss = Math.max(...ours.map((run) => run.rss));
const ratio = (seconds: number): string => `${seconds.toFixed(2)} s: ${(seconds / theirs).toFixed(2)}`;
console.log(
  `${size}: zstd -d and load ${theirs.toFixed(2)} s; live ${ratio(load)} (target ${target.ratio}); ` +
    `served by the first, with every value decoded and loaded before, ${ratio(first?.served ?? NaN)}; ` +
    `by the later, which know it, ${ratio(median(later.map((run) => run.served)))} (target ${target.served}); ` +
    `whole command ${ratio(median(later.map((run) => run.whole)))}; peak RSS ${rss.toFixed(0)} MiB (target ${target.rss})`,
);
