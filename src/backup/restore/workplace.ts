import type { DataFolder } from './folder/data-folder.ts';
import type { Layout } from './layout.ts';
import type { DataFiles } from './swap-plan.ts';

/** A run's own folder in a data directory; `work` counts from there. */
export interface Workplace {
  folder: DataFolder;
  work: string;
  layout: Layout;
}

/**
 * What has to be placed so that the next start loads the RDB `dump` and nothing else. `single` is a second copy of it for a
 * server of before 7.0 with its AOF on, which goes on writing at its end.
 */
export async function incomingFrom(
  { folder, work, layout }: Workplace,
  dump: string,
  single?: string,
): Promise<DataFiles> {
  const { authority, names } = layout;
  if (authority === 'multi') return { dump, aofDir: await folder.buildAofFolder(work, dump, names.aofFile) };
  if (authority === 'rdb') return { dump };
  if (single !== undefined) return { dump, aofFile: single };
  const copy = `${work}/appendonly`;
  await folder.copy(dump, copy);
  return { dump, aofFile: copy };
}
