import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAof } from '../../backup/artefact/decode.ts';
import { unpackAof, type UnpackedAof } from '../../backup/aof/unpack.ts';
import { compareCounts } from '../../backup/verify/compare-counts.ts';
import type { Artefact, Manifest } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { counted } from '../../lib/text/counted.ts';
import { createOwnFile } from '../../lib/files/staged-file.ts';
import { giveToUnprivileged } from '../../lib/process/unprivileged.ts';
import { runCheckAof } from '../../redis/process/check-aof-tool.ts';
import { toolPlaces } from '../../redis/service/find-service.ts';
import { engineOf } from '../../redis/server.ts';
import { findCheckTool, type CheckTool } from '../../redis/process/tools.ts';
import type { JobContext } from '../job.ts';
import { scratchDatabases } from './scratch-databases.ts';
import { aofLayoutOf, lackOfCommand, lackOfMemory, loadAof } from './load-aof.ts';
import { noteLoaded } from './loaded-before.ts';
import { shallower, type Proof, type ProofOptions } from './proof.ts';

export interface ProveAofOptions extends ProofOptions {
  /** The stored bytes; asked for once. */
  stored: () => Promise<AsyncIterable<Uint8Array>>;
  /** A private folder for what is staged, and why it has no room for it. */
  folder: string;
  room: string | undefined;
  /** The server that would load it. */
  info: Info;
}

/** Proves a backup of an append only file, as deep as asked for beyond `stored`, and as this host can. */
export async function proveAof(
  context: JobContext,
  manifest: Manifest,
  artefact: Artefact,
  options: ProveAofOptions,
): Promise<Proof> {
  const { depth, deep, room } = options;
  if (depth === 'decoded' || room !== undefined) {
    for await (const _ of await decoding(context, artefact, options));
    const decoded: Proof = { level: 'decoded', summary: `${how(deep)}, SHA-256 and framing right` };
    return room === undefined ? decoded : shallower(decoded, room);
  }
  const folder = join(options.folder, `${manifest.id}.aof`);
  await mkdir(folder, { mode: 0o700 });
  try {
    return await proveStaged(context, manifest, artefact, { ...options, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function decoding(
  context: JobContext,
  artefact: Artefact,
  { stored, deep }: ProveAofOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { signal } = context;
  return decodeAof(await stored(), artefact, { identities: context.identities(), signal, deep });
}

async function proveStaged(
  context: JobContext,
  manifest: Manifest,
  artefact: Artefact,
  options: ProveAofOptions,
): Promise<Proof> {
  const { folder, depth, deep, info } = options;
  const { signal, progress } = context;
  const layout = aofLayoutOf(engineOf(info));
  if (layout === 'single' && manifest.aof?.layout === 'multi-part') {
    const decoded = await proveAof(context, manifest, artefact, { ...options, depth: 'decoded' });
    return shallower(decoded, 'servers of before 7.0 do not read it');
  }
  const unpacked = await unpackAof(await decoding(context, artefact, options), {
    layout,
    stem: 'appendonly.aof',
    create: (name) => createOwnFile(join(folder, name), false),
  });
  const decoded: Proof = { level: 'decoded', summary: `${how(deep)}, SHA-256 and framing right` };
  giveToUnprivileged(folder);
  const found = await findCheckTool('aof', info, await toolPlaces(context.instance, signal));
  if (found.tool === undefined) return shallower(decoded, found.why);
  progress.report({ phase: 'checking' });
  const checked = await checkUnpacked(found.tool, manifest, { folder, unpacked, deep }, signal);
  if (depth === 'checked') return checked;
  const memory = await lackOfMemory(manifest.server.used_memory);
  if (memory !== undefined) return shallower(checked, memory);
  try {
    return await proveLoaded(context, manifest, found.tool, { folder, unpacked, layout, deep, info });
  } catch (error) {
    const lack = lackOfCommand(error);
    if (lack === undefined) throw error;
    return shallower(checked, lack);
  }
}

/** Has the server's own tool read it. Throws an AgentError `damaged`. */
export async function checkUnpacked(
  tool: CheckTool,
  manifest: Manifest,
  { folder, unpacked, deep }: { folder: string; unpacked: UnpackedAof; deep: boolean },
  signal: AbortSignal,
): Promise<Proof> {
  const name = unpacked.manifest ?? unpacked.files[0]?.name ?? '';
  const { ok, summary } = await runCheckAof(tool, join(folder, name), signal);
  // valkey-check-aof 9.1 takes a base of RDB version 80 for commands, and rejects every sound set with one.
  const doubt = !ok && manifest.rdb_version >= 80;
  if (!ok && !doubt) throw new AgentError('damaged', `backup ${manifest.id}: ${summary}`);
  const said = doubt ? `${tool.argv0} does not know its base` : `${tool.argv0} found it valid`;
  return { level: 'checked', summary: `${how(deep)}, ${said}` };
}

async function proveLoaded(
  context: JobContext,
  manifest: Manifest,
  tool: CheckTool,
  {
    folder,
    unpacked,
    layout,
    deep,
    info,
  }: {
    folder: string;
    unpacked: UnpackedAof;
    layout: 'multi-part' | 'single';
    deep: boolean;
    info: Info;
  },
): Promise<Proof> {
  const { scratch, clock, signal, progress } = context;
  const files = unpacked.files.map(({ name, type }) => ({ path: join(folder, name), type }));
  const { databases, keys, seconds, refused } = await loadAof({
    tool,
    aof: { layout, files },
    directory: scratch,
    databases: await scratchDatabases(context, manifest.keyspace.databases),
    clock,
    signal,
    onProgress: (share) => progress.report({ phase: 'loading', done: share, total: 1 }),
  });
  const problem = compareCounts(manifest.keyspace, databases);
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
  if (!((refused ?? 0) > 0)) noteLoaded(context, manifest, engineOf(info));
  const judged = manifest.keyspace.exact ? ' as expected' : ', which were not counted exactly';
  const passed = refused === undefined || refused === 0 ? '' : `; it refused ${counted(refused, 'command')}`;
  return {
    level: 'loaded',
    summary: `${deep ? 'every value of its base decoded, ' : ''}loaded by a scratch server in ${seconds.toFixed(1)} s, ${counted(keys, 'key')}${judged}${passed}`,
  };
}

function how(deep: boolean): string {
  return deep ? 'every value of its base decoded' : 'decoded';
}
