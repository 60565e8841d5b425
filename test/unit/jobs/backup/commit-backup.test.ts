import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRepository, type Repository } from '../../../../src/backup/repository.ts';
import { openFilesystemStore } from '../../../../src/backup/store/filesystem.ts';
import type { Store } from '../../../../src/backup/store/store.ts';
import type { Artefact } from '../../../../src/domain/backup.ts';
import { commitBackup } from '../../../../src/jobs/backup/backup-steps.ts';
import type { JobContext } from '../../../../src/jobs/job.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { sampleManifest } from '../../../support/data/sample-manifest.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const { signal } = new AbortController();
const manifest = sampleManifest();
const { id } = manifest;

let folder: string;
let repository: Repository;
/** Puts and removals below the backup's id, in order. */
let calls: string[];

beforeEach(async () => {
  folder = makeTempFolder();
  calls = [];
  const real = await openFilesystemStore(folder);
  const noted: Pick<Store, 'put' | 'remove'> = {
    async put(key, chunks, options) {
      calls.push(`put ${key.split('/').at(-1)}`);
      return await real.put(key, chunks, options);
    },
    async remove(key, options) {
      calls.push(`remove ${key.split('/').at(-1)}`);
      await real.remove(key, options);
    },
  };
  const store: Store = Object.assign(Object.create(real), noted);
  repository = openRepository(store, 'main', { now: () => Date.parse('2026-11-22T00:00:00Z') });
});
afterEach(() => removeTempFolder(folder));

async function* five(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('12345');
}

async function commit(change: Partial<Artefact['stored']> = {}): Promise<void> {
  const [artefact] = manifest.artefacts;
  if (artefact === undefined) throw new Error('the sample has no artefact');
  await repository.store.put(repository.artefactKey(id, artefact), five(), { signal });
  const claimed = { ...artefact, stored: { ...artefact.stored, ...change } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that committing asks for
  const context = { repository, signal, log: memoryLog() } as unknown as JobContext;
  await commitBackup(context, id, claimed, () => Promise.resolve(manifest));
}

test('the manifest is written last, and goes first', async () => {
  await commit();
  expect(calls).toEqual(['put dump.rdb.zst', 'put manifest.json']);
  const { backups } = await repository.list(signal);
  expect(backups).toMatchObject([{ id, state: 'complete' }]);
  calls = [];
  for (const entry of backups) await repository.remove(entry, signal);
  expect(calls).toEqual(['remove manifest.json', 'remove dump.rdb.zst']);
});

test('what the store does not hold at full length becomes no backup, and nothing of it is left', async () => {
  await expect(commit({ bytes: 6 })).rejects.toMatchObject({ code: 'repository', reason: 'truncated' });
  expect(calls).not.toContain('put manifest.json');
  expect(await repository.list(signal)).toEqual({ backups: [], foreign: [], foreignMore: 0 });
});
