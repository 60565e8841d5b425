/**
 * Plays thirty days of faults against the agent's rules, alert engine and delivery, holds what was told against what was
 * planned, and prints docs/soak.md: `scripts/node scripts/soak.ts [--days 30] [--seed 1] >docs/soak.md`. Ends with 1 when
 * anything was told otherwise than once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatDuration } from '../src/lib/time/duration.ts';
import { randomNumbers } from '../test/support/rdb/style.ts';
import { compare } from '../test/support/soak/compare.ts';
import { soak } from '../test/support/soak/soak.ts';

const minutes = (ms: number): string => formatDuration(Math.round(ms / 60_000) * 60_000);
const moment = (at: number): string => new Date(at).toISOString().slice(5, 16).replace('T', ' ');

const { values } = parseArgs({
  options: { days: { type: 'string', default: '30' }, seed: { type: 'string', default: '1' } },
});
const [days, seed] = [Number(values.days), Number(values.seed)];
const folder = mkdtempSync(join(tmpdir(), 'redis-agent-soak-'));
try {
  const result = await soak(folder, { days, random: randomNumbers(seed) });
  const { stories, problems } = compare(result);
  const short = stories.filter(({ fault }) => !fault.told).length;
  const lines = stories
    .toSorted((a, b) => a.fault.from - b.fault.from)
    .map(({ fault, told }) => {
      const heard = told.map(({ change, at }) => `${change} ${moment(at)}`);
      const shown =
        heard.length > 4 ? [...heard.slice(0, 2), `${heard.length - 3} more`, heard.at(-1)] : heard;
      return `| ${moment(fault.from)} | ${fault.instance} | ${fault.rule} ${fault.severity} | ${minutes(fault.until - fault.from)} | ${shown.join(', ') || 'nothing, as it is to be'} |`;
    });
  console.log(`# Soak

Made by \`scripts/node scripts/soak.ts --days ${days} --seed ${seed}\`: the agent's rules, alert engine, outbox and delivery with a
real database; polls every 30 s, time, and the other side of one channel are played. Three servers with
${result.faults.length} faults (${short} of them too short for their rule), ${result.polls} polls; the agent was killed and started
${result.restarts} times, the clock was set ${result.clockSteps} times by up to ten minutes, and the channel was deaf
${result.outages} times for up to three hours (${result.refused} attempts were refused, or their answer was lost).

Each fault that outlasted its rule's patience is to be told once, with its end once, whatever happens in between; nothing
else is to be told. Told otherwise: **${problems.length}**.
${problems.map((problem) => `- ${problem}\n`).join('')}
| from (UTC) | server | fault | lasted | told |
|---|---|---|---|---|
${lines.join('\n')}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
