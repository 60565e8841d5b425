import { expect, test } from 'vitest';
import type { Block, Figure, ReportDocument } from '../../../src/report/document.ts';
import { formatBytes } from '../../../src/lib/text/bytes.ts';
import { formatValue } from '../../../src/report/model/format.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { faraway, planned, serverWithKey, startDaemon, untilFree } from '../../support/agent/daemon.ts';

/** A day and a moment of it, as commands read one after the other would not have it. */
async function ask(config: TestConfig, now: number, ...args: string[]) {
  const clock = { ...systemClock, now: () => now };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- commands that print JSON
  return (await runAgent([...args, '--json'], { config, clock })).json;
}

const day = 86_400_000;

const blocks = (document: ReportDocument, section: string): Block[] =>
  document.sections.find(({ id }) => id === section)?.blocks ?? [];

function figure(document: ReportDocument, section: string, label: string): Figure | undefined {
  return blocks(document, section)
    .flatMap((block) => (block.kind === 'figures' ? block.figures : []))
    .find((each) => each.label === label);
}

function rows(document: ReportDocument, section: string, caption: string): string[][] {
  const found = blocks(document, section).find(
    (block) => block.kind === 'table' && block.table.caption.startsWith(caption),
  );
  return found?.kind === 'table' ? found.table.rows.map((row) => row.map(({ text }) => text)) : [];
}

test('every figure on the page is what the commands say of the same span', async () => {
  const server = await serverWithKey();
  const options = planned(server, { schedule: faraway() });
  const settings = { ...options.settings, monitor: { interval: '1s' } };
  const config = writeConfig({ ...options, settings });
  const daemon = startDaemon(config);
  await daemon.until({ msg: /^backup 2/ });
  await untilFree(config);
  // Something that begins and ends.
  await server.call('ACL', 'SETUSER', 'default', '-bgsave');
  expect(await runAgent(['backup'], { config })).toMatchObject({ code: 4 });
  await server.call('ACL', 'SETUSER', 'default', '+bgsave');
  expect(await runAgent(['backup'], { config })).toMatchObject({ code: 0 });
  expect(await runAgent(['drill'], { config })).toMatchObject({ code: 0 });
  await runAgent(['audit'], { config });
  await expect
    .poll(
      async () =>
        (await ask(config, Date.now(), 'history', 'memory_used_bytes', '--since', '1h')).points.length,
    )
    .toBeGreaterThan(0);
  await daemon.stop();

  const now = Date.now();
  const document: ReportDocument = await ask(config, now, 'report', '--since', '1h');
  const [list, audit, history, ended, [status]] = [
    await ask(config, now, 'backups', 'list'),
    await ask(config, now, 'audit'),
    await ask(config, now, 'history', 'memory_used_bytes', '--since', '1h'),
    await ask(config, now, 'alerts', 'history', '--since', '1h'),
    await ask(config, now, 'status'),
  ];
  const ids: string[] = list.backups.map(({ id }: { id: string }) => id);
  expect(ids).toHaveLength(2);
  expect(figure(document, 'backups', 'Backups')?.value).toBe(String(ids.length));
  expect(figure(document, 'backups', 'Newest')?.note).toBe(ids.toSorted().at(-1));
  expect(rows(document, 'backups', 'Newest backups').map(([id]) => id)).toEqual(ids.toSorted().toReversed());
  expect(figure(document, 'backups', 'Last drill')).toMatchObject({ value: 'restored' });

  const [one] = audit.reports;
  expect(figure(document, 'audit', 'Score')?.value).toBe(`${one.score.value} of 100`);

  const chart = blocks(document, 'memory').find(({ kind }) => kind === 'chart');
  const drawn = chart?.kind === 'chart' ? (chart.chart.lines[0]?.points ?? []) : [];
  expect(drawn.filter(([, value]) => value !== null)).toEqual(
    history.points.map(({ at, value }: { at: string; value: number }) => [Date.parse(at), value]),
  );

  expect(ended.map(({ rule }: { rule: string }) => rule)).toContain('backup-failed');
  const incidents = rows(document, 'availability', 'Incidents');
  for (const { summary, severity } of ended)
    expect(incidents).toContainEqual([
      expect.any(String),
      expect.not.stringMatching('open'),
      severity,
      summary,
    ]);
  const open = incidents.filter(([, lasted]) => lasted === 'open').map(([, , , what]) => what);
  const findings: string[] = status.findings.map(({ summary }: { summary: string }) => summary);
  expect(new Set(open)).toEqual(new Set(findings));
  const serious = status.findings.filter(({ severity }: { severity: string }) => severity !== 'info');
  const said = document.verdict.points.map(({ text }) => text);
  for (const { summary } of serious.slice(0, 8)) expect(said).toContain(summary);
  // The server goes on, and so does what it uses.
  expect(figure(document, 'memory', 'Used')?.value).toBe(formatBytes(status.server.used_memory));
  expect(said.join()).not.toContain('has not been watched');

  // Three days later no daemon has run: that the server was up at the end says nothing of them.
  const later: ReportDocument = await ask(config, now + 3 * day, 'report', '--since', '7d');
  expect(later.verdict.points.map(({ text }) => text)).toContainEqual(
    expect.stringContaining('has not been watched since'),
  );
  expect(figure(later, 'availability', 'Not watched')?.value).toMatch(/^6d /);
});

test('queues on the page are what history, queues and alerts history say', async () => {
  const server = await serverWithKey();
  const options = planned(server, { schedule: faraway() });
  const queue = { list: 'ai-queue', completed: 'jobs:completed', stuck: '1s' };
  const settings = { ...options.settings, monitor: { interval: '1s', queues: [queue] } };
  const config = writeConfig({ ...options, settings });
  const daemon = startDaemon(config);
  const opened = async (): Promise<boolean> =>
    (await ask(config, Date.now(), 'alerts', 'list')).alerts.some(
      ({ rule }: { rule: string }) => rule === 'queue-stuck',
    );
  for (let each = 0; each < 7; each += 1) await server.call('RPUSH', 'ai-queue', `job ${each}`);
  await expect.poll(opened).toBe(true);
  await server.call('LPOP', 'ai-queue', '3');
  await server.call('INCRBY', 'jobs:completed', '3');
  await expect.poll(opened).toBe(false);
  await daemon.stop();

  const now = Date.now();
  const document: ReportDocument = await ask(config, now, 'report', '--since', '1h');
  const history = async (metric: string) =>
    await ask(config, now, 'history', metric, '--queue', 'ai-queue', '--since', '1h');
  const [waiting, oldest, completed] = [
    await history('queue_waiting'),
    await history('queue_oldest_seconds'),
    await history('queue_completed_total'),
  ];
  const most = (points: { max: number }[]): number => Math.max(...points.map(({ max }) => max));
  const [queues] = await ask(config, now, 'queues');
  const [[name, now_waiting] = []] = rows(document, 'queues', 'Queues now');
  expect([name, now_waiting]).toEqual(['ai-queue', String(queues.queues[0].waiting)]);
  const [row = []] = rows(document, 'queues', 'Queues in this span');
  expect(row.slice(0, 2)).toEqual(['ai-queue', String(most(waiting.points))]);
  expect(most(waiting.points)).toBe(7);
  expect(row[2]).toBe(oldest.points.length === 0 ? '–' : formatValue(most(oldest.points), 'seconds'));
  expect(row[3]).toBe(String(completed.grown));
  expect(completed.grown).toBe(3);
  const ended = await ask(config, now, 'alerts', 'history', '--since', '1h');
  const spells = ended.filter(({ rule }: { rule: string }) => rule === 'queue-stuck');
  expect(spells).toHaveLength(1);
  expect(row[6]).toMatch(/^1 ×, /);
  const chart = blocks(document, 'queues').find(({ kind }) => kind === 'chart');
  const drawn = chart?.kind === 'chart' ? (chart.chart.lines[0]?.points ?? []) : [];
  expect(drawn.filter(([, value]) => value !== null)).toEqual(
    waiting.points.map(({ at, value }: { at: string; value: number }) => [Date.parse(at), value]),
  );
});
