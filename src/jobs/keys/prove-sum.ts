import { WholeSum } from '../../formats/rdb/whole-sum.ts';
import { withoutMarker } from '../../formats/rdb/without-marker.ts';
import type { KeySource } from './key-source.ts';
import type { RestoreKeysContext } from './restore-keys-options.ts';

/** Is all of the dump what a server has written? False where its bytes alone do not tell: then its records have to. */
export async function provenBySum(
  { progress, signal }: RestoreKeysContext,
  source: KeySource,
): Promise<boolean> {
  const sum = new WholeSum();
  const { bytes: total } = source;
  let done = 0;
  for await (const chunk of withoutMarker(source.open(signal))) {
    sum.update(chunk);
    done += chunk.length;
    progress.report({ phase: 'looking', done, unit: 'bytes', ...(total === undefined ? {} : { total }) });
  }
  return sum.proven;
}
