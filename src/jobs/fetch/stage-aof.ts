import { join } from 'node:path';
import { unpackAof, type UnpackedAof } from '../../backup/aof/unpack.ts';
import { decodeAof } from '../../backup/artefact/decode.ts';
import type { RestoreFacts } from '../../backup/restore/facts.ts';
import type { DataFolder } from '../../backup/restore/folder/data-folder.ts';
import type { Workplace } from '../../backup/restore/workplace.ts';
import type { Manifest } from '../../domain/backup.ts';
import { scratchDatabases } from '../prove/scratch-databases.ts';
import { artefactOf } from '../prove/artefact-of.ts';
import type { Load } from '../../state/loads.ts';
import type { JobContext } from '../job.ts';
import { findMeans, proveStaged, type StagedData } from './stage.ts';

/** Fetches a backup of the append only file and unpacks it into the run's folder, as the next start reads it. */
export async function stageAof(
  context: JobContext,
  facts: RestoreFacts,
  { folder, work, layout }: Workplace,
  manifest: Manifest,
  before?: Load,
): Promise<StagedData> {
  const multi = layout.authority === 'multi';
  const path = multi ? `${work}/aof` : work;
  await folder.makeFolder(path);
  const target = {
    path,
    layout: multi ? ('multi-part' as const) : ('single' as const),
    stem: multi ? layout.names.aofFile : 'appendonly',
  };
  const unpacked = await unpackInto(context, manifest, folder, target);
  if (multi) await folder.finishFolder(path);
  const incoming = multi ? { aofDir: path } : { aofFile: `${work}/appendonly` };
  return {
    prove: () =>
      proveUnpacked(context, facts, manifest, {
        ...target,
        folder,
        unpacked,
        before,
      }),
    incoming: async () => ({ files: incoming, rdb: undefined }),
  };
}

/** A folder that is there, and what the files in it are to be for. */
export interface UnpackTarget {
  path: string;
  layout: 'multi-part' | 'single';
  stem: string;
}

/** Decodes the archive of a backup into new files. Proven when it resolves: SHA-256, and the framing. */
export async function unpackInto(
  context: JobContext,
  manifest: Manifest,
  into: DataFolder,
  { path, layout, stem }: UnpackTarget,
): Promise<UnpackedAof> {
  const { repository, signal, progress } = context;
  const artefact = artefactOf(manifest);
  const { chunks } = await repository.store.get(repository.artefactKey(manifest.id, artefact), { signal });
  async function* counted(): AsyncGenerator<Uint8Array> {
    let done = 0;
    for await (const chunk of decodeAof(chunks, artefact, { identities: context.identities(), signal })) {
      done += chunk.length;
      progress.report({ phase: 'fetching', done, total: artefact.plain.bytes, unit: 'bytes' });
      yield chunk;
    }
  }
  return await unpackAof(counted(), {
    layout,
    stem,
    create: (name) => into.create(join(path, name)),
  });
}

/** With the programs of the version that will load it. */
async function proveUnpacked(
  context: JobContext,
  facts: RestoreFacts,
  manifest: Manifest,
  {
    folder,
    path: place,
    layout,
    unpacked,
    before,
  }: UnpackTarget & { folder: DataFolder; unpacked: UnpackedAof; before: Load | undefined },
): Promise<string> {
  const { signal, progress } = context;
  const user = folder.ownership.owner;
  const files = unpacked.files.map(({ name, type }) => ({ path: join(place, name), type }));
  return await proveStaged(context, manifest, {
    kind: 'aof',
    server: facts.program ?? facts.running ?? manifest.server,
    means:
      before === undefined ? await findMeans(context, facts, { manifest, kind: 'aof', user }) : { before },
    async check(tool) {
      const name = unpacked.manifest ?? unpacked.files[0]?.name ?? '';
      const { ok, summary } = await folder.check({ kind: 'aof', tool, path: join(place, name) }, signal);
      // valkey-check-aof 9.1 takes a base of RDB version 80 for commands, and rejects every sound set with one.
      return { ok: ok || manifest.rdb_version >= 80, summary };
    },
    async load(tool) {
      const databases = await scratchDatabases(context, manifest.keyspace.databases);
      return await folder.load(
        { tool, aof: { layout, files }, databases },
        { signal, onProgress: (share) => progress.report({ phase: 'proving', done: share, total: 1 }) },
      );
    },
  });
}
