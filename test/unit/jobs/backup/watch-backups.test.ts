import { describe, expect, onTestFinished, test } from 'vitest';
import { openRepository } from '../../../../src/backup/repository.ts';
import { formatDocument } from '../../../../src/backup/manifest.ts';
import { openFilesystemStore } from '../../../../src/backup/store/filesystem.ts';
import type { DrillOutcome } from '../../../../src/domain/drill.ts';
import type { Finding } from '../../../../src/domain/finding.ts';
import { parseSettings } from '../../../../src/config/load.ts';
import { watchBackupsJob } from '../../../../src/jobs/backup/watch-backups.ts';
import { silentProgress } from '../../../../src/cli/render/progress-bar.ts';
import { neverAborted } from '../../../support/data/artefacts.ts';
import { inChunksOf } from '../../../support/data/chunks.ts';
import { ManualClock } from '../../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { sampleDrill } from '../../../support/data/sample-drill.ts';
import { sampleManifest } from '../../../support/data/sample-manifest.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** What is found at 2026-11-21 12:00 with backups of these ids, every six hours expected. */
async function watch(...ids: string[]): Promise<Finding[]> {
  return await watchWith([], ...ids);
}

/** The same after these drills. */
async function watchWith(drills: DrillOutcome[], ...ids: string[]): Promise<Finding[]> {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const store = await openFilesystemStore(folder);
  const put = (key: string, text: string): Promise<unknown> =>
    store.put(key, inChunksOf(Buffer.from(text), 4096), { signal: neverAborted });
  for (const id of ids) {
    await put(`main/${id}/dump.rdb.zst`, '12345');
    await put(`main/${id}/manifest.json`, formatDocument(sampleManifest({ id })));
  }
  const source =
    'instances: [{ name: main, url: "redis://127.0.0.1:1" }]\nrepository: { type: filesystem, path: /r }';
  const settings = await parseSettings(source, '/config.yaml');
  const [instance] = settings.instances;
  if (instance === undefined) throw new Error('the configuration has one');
  const { findings } = await watchBackupsJob.run(
    {
      instance,
      settings,
      repository: openRepository(store, 'main', new ManualClock()),
      writer: sampleManifest().writer,
      connect: () => Promise.reject(new Error('it only looks at the repository')),
      connectTo: () => Promise.reject(new Error('not here')),
      openRepository: () => Promise.reject(new Error('it has one')),
      get host(): never {
        throw new Error('it only looks at the repository');
      },
      serverFiles: () => {
        throw new Error('it only looks at the repository');
      },
      hostOf: () => {
        throw new Error('it only looks at the repository');
      },
      get consumers(): never {
        throw new Error('it only looks at the repository');
      },
      firewall: () => Promise.reject(new Error('it only looks at the repository')),
      identities: () => [],
      state: () => {
        throw new Error('it only looks at the repository');
      },
      series: () => {
        throw new Error('it only looks at the repository');
      },
      recall: (job) => (job === 'drill' ? drills : []),
      scratch: '/nowhere',
      clock: new ManualClock(),
      log: memoryLog(),
      signal: neverAborted,
      progress: silentProgress,
    },
    {},
  );
  return findings;
}

describe('watch-backups', () => {
  test('a young backup is fine', async () => {
    expect(await watch('20261121T060000Z-7f3a')).toEqual([]);
  });

  test('a drill that is too long ago, whatever was skipped since', async () => {
    const young = '20261121T060000Z-7f3a';
    const held = (at: string): DrillOutcome => ({ outcome: 'held', record: sampleDrill({ at }) });
    const skipped: DrillOutcome = {
      outcome: 'skipped',
      backup: young,
      at: '2026-11-01T00:00:00.000Z',
      reason: 'low-memory',
      why: 'no memory',
      instead: 'free some',
    };
    expect(await watchWith([held('2026-06-01T12:00:00.000Z')], young)).toEqual([]);
    expect(await watchWith([skipped], young)).toEqual([]);
    expect(await watchWith([skipped, held('2026-05-01T12:00:00.000Z')], young)).toMatchObject([
      {
        rule: 'drill-overdue',
        severity: 'warning',
        summary: 'no restore was rehearsed for 204d 00h (limit 184d 00h)',
      },
    ]);
  });

  test('none, or none that is young enough', async () => {
    expect(await watch()).toMatchObject([{ rule: 'backup-stale', summary: 'there is no backup' }]);
    expect(await watch('20261120T060000Z-7f3a')).toMatchObject([
      { rule: 'backup-stale', summary: 'the newest backup is 1d 06h old (limit 13h 00m)' },
    ]);
  });

  test('one from a time when the clock was wrong does not hide that there is no other', async () => {
    expect(await watch('20261119T060000Z-7f3a', '20300101T000000Z-7f3a')).toMatchObject([
      { rule: 'backup-stale', evidence: { newest: '20261119T060000Z-7f3a' } },
    ]);
    expect(await watch('20261121T123000Z-7f3a')).toEqual([]);
  });
});
