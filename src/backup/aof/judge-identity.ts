import { infoInteger, type Info } from '../../formats/info/parse-info.ts';
import type { OpenAofSet } from './open-set.ts';

/**
 * Pure. Did the server that told of itself `before` and `after` write the files that were opened in between? By the bytes that it
 * has counted; a base that it wrote when it first started is not among them (7.0 to 9.1). False says only that this does not show
 * it: a rewrite or a restart came between, or the last start has cut off a torn tail, which they go on counting.
 */
export function haveItsLength(
  before: Info,
  after: Info,
  { manifest, files }: Pick<OpenAofSet, 'manifest' | 'files'>,
): boolean {
  const same = (field: string): boolean => before.get(field) === after.get(field);
  if (!same('run_id') || !same('aof_base_size')) return false;
  const [least, most] = [infoInteger(before, 'aof_current_size'), infoInteger(after, 'aof_current_size')];
  if (least === undefined || most === undefined) return false;
  const uncounted = manifest?.base !== undefined && infoInteger(before, 'aof_base_size') === 0;
  const counted = uncounted ? files.slice(1) : files;
  const bytes = counted.reduce((sum, { size }) => sum + size, 0);
  return least <= bytes && bytes <= most;
}
