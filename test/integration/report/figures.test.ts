import { expect, test } from 'vitest';
import type { Block, Figure, ReportDocument } from '../../../src/report/document.ts';
import { formatBytes } from '../../../src/lib/bytes.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { runAgent, writeConfig, type TestConfig } from '../../support/agent/cli.ts';
import { faraway, planned, serverWithKey, startDaemon } from '../../support/agent/daemon.ts';

/** A day and a moment of it, as commands read one after the other would not have it. */
async function ask(config: TestConfig, now: number, ...args: string[]) {
  const clock = { ...systemClock, now: () => now };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- commands that print JSON
  return (await runAgent([...args, '--json'], { config, clock })).json;
}

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
});
