import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, below test/integration. */
export const longest = [
  'restore/kill',
  'harden/apply-kill',
  'restore/live',
  'restore/live-kill',
  'restore-keys/choices',
  'harden/apply',
  'harden/rotate-password',
  'backup/aof/hot-copy',
  'backup/aof/moments',
  'backup/aof/backup-aof',
  'redis/replication-master',
  'redis/scratch-server',
  'redis/tools',
  'support/data-set',
  'cluster/into-cluster',
  'backup-matrix',
  'restore/from-path',
  'backup/s3-faults',
  'cli/interrupt',
  'daemon',
  'report/pages',
  'restore/surroundings',
  'restore/repository-faults',
  'restore/upgrade',
  'matrix/part-1',
  'matrix/part-2',
].map((name) => `test/integration/${name}.test.ts`);

/**
 * Begins with what takes longest, so that no worker is left alone with it in the end. Vitest itself goes by how long files
 * took the last time, and in a fresh clone by their size.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's, of no array
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      longest.some((name) => moduleId.endsWith(`/${name}`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
