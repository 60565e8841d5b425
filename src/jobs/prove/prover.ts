import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAgain, decodeRdb, verifyStored } from '../../backup/artefact/decode.ts';
import { totalKeys, type Artefact, type Manifest } from '../../domain/backup.ts';
import { AgentError, hasReason, messageOf, systemCode } from '../../domain/errors.ts';
import { infoKeyspace, type Info } from '../../formats/info/parse-info.ts';
import { placeOf } from '../../formats/rdb/rdb-check.ts';
import { RdbError } from '../../formats/rdb/rdb-handler.ts';
import { describePassed, passedOver } from '../../formats/rdb/whole/describe-passed.ts';
import { DumpRules } from '../../formats/rdb/whole/dump-rules.ts';
import { findTwins } from '../../formats/rdb/whole/find-twins.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { counted as withNoun } from '../../lib/text/counted.ts';
import { printable } from '../../lib/text/printable.ts';
import { giveToUnprivileged } from '../../lib/process/unprivileged.ts';
import { toolPlaces } from '../../redis/service/find-service.ts';
import { randomWords } from '../../lib/text/random-words.ts';
import { makeScratchFolder, sweepScratch } from '../../redis/scratch/scratch-folder.ts';
import { startScratchServer } from '../../redis/scratch/scratch-server.ts';
import { engineOf, readInfo } from '../../redis/server.ts';
import { findCheckTool, runCheckRdb, type CheckTool } from '../../redis/process/tools.ts';
import type { JobContext } from '../job.ts';
import { compareKeys } from './compare-keys.ts';
import { noteLoaded } from './loaded-before.ts';
import { readStaged } from './read-before.ts';
import { scratchDatabases } from './scratch-databases.ts';
import { lackOfMemory } from './load-aof.ts';
import { shallower, type Proof, type ProofOptions } from './proof.ts';
import { proveAof } from './prove-aof.ts';
import { readingServer } from './reading-server.ts';

/** Proves backups one after the other; disposing clears what it staged. */
export interface Prover extends AsyncDisposable {
  /**
   * Throws an AgentError `damaged` when the backup is not what its manifest says. What this host cannot do (no room,
   * no memory, no tool, no key) makes the proof less deep, and its summary says so.
   */
  prove(manifest: Manifest, how: ProofOptions): Promise<Proof>;
}

/** Kept free beside a staged file: that is ours to give up, never the host's. */
const diskMargin = 256 * 1024 * 1024;

/** Makes a prover with a private folder for staged files, after clearing what a killed run left. */
export async function provideProver(context: JobContext): Promise<Prover> {
  const folder = await inScratch(context, async () => {
    await sweepScratch(context.scratch);
    const made = await makeScratchFolder(context.scratch);
    giveToUnprivileged(made);
    return made;
  });
  return {
    prove: (manifest, how) => inScratch(context, () => prove(context, folder, manifest, how)),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What this host's own files and programs refuse says nothing about a backup. */
async function inScratch<T>({ scratch }: JobContext, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof AgentError || systemCode(error) === undefined) throw error;
    throw new AgentError('failed', `cannot prove backups in ${scratch}: ${messageOf(error)}`, {
      cause: error,
      hint: 'it takes room and the right to write there: see state.path',
    });
  }
}

async function prove(
  context: JobContext,
  folder: string,
  manifest: Manifest,
  { depth, deep }: ProofOptions,
): Promise<Proof> {
  const [artefact] = manifest.artefacts;
  if (artefact === undefined) throw new AgentError('damaged', `backup ${manifest.id} has no artefact`);
  if (depth === 'stored') return proveStored(context, manifest, artefact);
  if (artefact.encryption !== null && context.identities().length === 0)
    return shallower(
      await proveStored(context, manifest, artefact),
      'this host has no repository.encryption.age_identity',
    );
  const { info, instead } = await readingServer(context, manifest);
  const proof = await proveContent(context, folder, manifest, { artefact, depth, deep, info });
  return instead === undefined ? proof : { ...proof, summary: `${proof.summary}; ${instead}` };
}

interface ContentOptions extends ProofOptions {
  artefact: Artefact;
  /** Of the server whose programs read it. */
  info: Info;
}

async function proveContent(
  context: JobContext,
  folder: string,
  manifest: Manifest,
  { artefact, depth, deep, info }: ContentOptions,
): Promise<Proof> {
  if (manifest.kind === 'aof')
    return await proveAof(context, manifest, artefact, {
      depth,
      deep,
      folder,
      room: await roomFor(folder, artefact.plain.bytes),
      info,
      stored: () => readStored(context, manifest, artefact),
    });
  const decodeTo = (target?: string): Promise<Decoded> =>
    proveDecoded(context, manifest, artefact, { target, deep });
  if (depth === 'decoded') return decodeTo();

  const room = await roomFor(folder, artefact.plain.bytes);
  if (room !== undefined) return shallower(await decodeTo(), room);
  const staged = join(folder, 'staged.rdb');
  try {
    const decoded = await decodeTo(staged);
    giveToUnprivileged(staged);
    const found = await findCheckTool('rdb', info, await toolPlaces(context.instance, context.signal));
    if (found.tool === undefined) return shallower(decoded, found.why);
    const by = { tool: found.tool, file: staged, how: decoded.how };
    const checked = await orShallower(decoded, () => proveChecked(context, manifest, by));
    if (depth === 'checked' || checked.level === 'decoded') return checked;
    const memory = await memoryFor(manifest);
    if (memory !== undefined) return shallower(checked, memory);
    const loaded = await orShallower(checked, () => proveLoaded(context, manifest, { ...by, info }));
    if (loaded.level === 'loaded' && context.settings.verify.deep)
      await readStaged(context, manifest, staged, engineOf(info));
    return loaded;
  } finally {
    await rm(staged, { force: true });
  }
}

/** The deeper proof; the one before where this host ended it, or lacks the server's modules: that says nothing of the backup. */
async function orShallower(before: Proof, deeper: () => Promise<Proof>): Promise<Proof> {
  try {
    return await deeper();
  } catch (error) {
    if (!hasReason(error, 'killed', 'module')) throw error;
    return shallower(before, error.message);
  }
}

async function readStored(
  { repository, signal, progress }: JobContext,
  { id }: Manifest,
  artefact: Artefact,
): Promise<AsyncIterable<Uint8Array>> {
  const { chunks } = await repository.store.get(repository.artefactKey(id, artefact), { signal });
  return counted(chunks, progress, artefact.stored.bytes);
}

async function proveStored(context: JobContext, manifest: Manifest, artefact: Artefact): Promise<Proof> {
  await verifyStored(await readStored(context, manifest, artefact), artefact, context.signal);
  return { level: 'stored', summary: 'every stored byte is right (SHA-256)' };
}

interface Decoded extends Proof {
  /** What was decoded, for people. */
  how: string;
}

/** Decodes all of it, into `target` or into nothing. */
async function proveDecoded(
  context: JobContext,
  manifest: Manifest,
  artefact: Artefact,
  { target, deep }: { target: string | undefined; deep: boolean },
): Promise<Decoded> {
  const { rdb_checksum: checksum } = manifest;
  // What a module has written only the module can read.
  const all =
    manifest.content.types['module'] === undefined ? 'every value' : 'every value but those of modules';
  let how = deep ? `${all} decoded` : 'decoded';
  const rules = deep ? new DumpRules(randomWords(), { bytes: artefact.plain.bytes }) : undefined;
  const plain = decodeRdb(await readStored(context, manifest, artefact), artefact, {
    identities: context.identities(),
    signal: context.signal,
    rules,
    onUnread: (why) => {
      if (deep) how = `decoded, not every value of it: ${printable(why)}`;
    },
  });
  const file = target === undefined ? undefined : await open(target, 'wx', 0o600);
  try {
    for await (const chunk of plain) await file?.writeFile(chunk);
  } finally {
    await file?.close();
  }
  if (rules !== undefined) how = [how, ...(await askWhole(context, manifest, artefact, rules))].join('; ');
  return { level: 'decoded', how, summary: `${how}, SHA-256${checksum ? ' and CRC64' : ''} right` };
}

/** What only the dump as a whole tells; says what servers live with, and what could not be told. */
async function askWhole(
  context: JobContext,
  manifest: Manifest,
  artefact: Artefact,
  rules: DumpRules,
): Promise<string[]> {
  const { signal } = context;
  const again = async (): Promise<AsyncIterable<Uint8Array>> =>
    decodeAgain(await readStored(context, manifest, artefact), artefact, {
      identities: context.identities(),
      signal,
    });
  const notes = describePassed(passedOver(rules)).map(printable);
  const distinct = await findTwins(rules.twins, again).catch((error: unknown) => {
    if (!(error instanceof RdbError)) throw error;
    throw new AgentError('damaged', `${artefact.name} is damaged: ${printable(placeOf(error))}`, {
      cause: error,
      reason: 'corrupt',
    });
  });
  if (!distinct) notes.push('whether a key is there twice could not be told');
  if (rules.libraries > 0) notes.push(`the code of ${rules.libraries} function libraries is not judged`);
  return notes;
}

async function proveChecked(
  { signal, progress }: JobContext,
  { id }: Manifest,
  { tool, file, how }: { tool: CheckTool; file: string; how: string },
): Promise<Proof> {
  progress.report({ phase: 'checking' });
  const verdict = await runCheckRdb(tool, file, signal);
  if (!verdict.ok) throw new AgentError('damaged', `backup ${id}: ${verdict.summary}`);
  return {
    level: 'checked',
    summary: `${how}, ${tool.argv0} read ${verdict.keys ?? 'all'} ${verdict.keys === 1 ? 'key' : 'keys'}`,
  };
}

async function proveLoaded(
  context: JobContext,
  manifest: Manifest,
  { tool, file, how, info }: { tool: CheckTool; file: string; how: string; info: Info },
): Promise<Proof> {
  const { clock, signal, progress } = context;
  const start = clock.monotonic();
  await using server = await startScratchServer({
    program: { path: tool.path, argv0: `${manifest.server.engine}-server` },
    directory: context.scratch,
    dumpFile: file,
    databases: await scratchDatabases(context, manifest.keyspace.databases),
    clock,
    signal,
    onProgress: (share) => progress.report({ phase: 'loading', done: share, total: 1 }),
  });
  const loaded = infoKeyspace(await readInfo(server.connection));
  const seconds = ((clock.monotonic() - start) / 1000).toFixed(1);
  const problem = await compareKeys(context, manifest, loaded);
  if (problem !== undefined) throw new AgentError('damaged', `backup ${manifest.id}: loaded, but ${problem}`);
  noteLoaded(context, manifest, engineOf(info));
  const keys = totalKeys(loaded);
  const judged = manifest.keyspace.exact ? ' as expected' : ', which were not counted exactly';
  return {
    level: 'loaded',
    summary: `${how === 'decoded' ? '' : `${how}, `}loaded by a scratch server in ${seconds} s, ${withNoun(keys, 'key')}${judged}`,
  };
}

export async function roomFor(folder: string, bytes: number): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes + diskMargin) return undefined;
  return `staging it needs ${formatBytes(bytes + diskMargin)} in ${folder}, which has ${formatBytes(free)} free`;
}

/** Why this host has no memory for loading it; undefined when it has. */
export async function memoryFor({ server }: Manifest): Promise<string | undefined> {
  return await lackOfMemory(server.used_memory);
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  progress: JobContext['progress'],
  total: number,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    progress.report({ phase: 'reading', done, total, unit: 'bytes' });
    yield chunk;
  }
}
