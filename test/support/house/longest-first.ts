import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, below test/integration. */
export const longest = [
  'restore/kill',
  'restore/switch',
  'cli/interrupt',
  'daemon',
  'restore/surroundings',
  'harden/rotate-password',
  'restore/live-kill',
  'restore/load-beside',
  'restore/new-host',
  'restore/live-link',
  'matrix/part-1',
  'matrix/part-2',
  'restore/from-path',
  'cli/check-connection',
  'backup/snapshot/take-snapshot',
  'backup-matrix',
  'backup/s3-quirks',
  'backup/s3-faults',
  'harden/switch',
  'restore/repository-faults',
  'restore/cases',
  'restore/live',
  'restore/upgrade',
  'harden/units',
  'report/pages',
  'report/planted-faults',
  'redis/replication/replication-master',
  'cluster/into-cluster-cut-off',
  'cluster/into-cluster',
  'harden/apply-kill',
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
