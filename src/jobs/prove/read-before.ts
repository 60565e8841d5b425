import { createHash } from 'node:crypto';
import { vetted, type BlockDigests } from '../../backup/restore/vetted-blocks.ts';
import type { Engine, Manifest } from '../../domain/backup.ts';
import { messageOf } from '../../domain/errors.ts';
import { openForeign } from '../../lib/files/foreign-file.ts';
import { deepProofOf, noteDeepProof } from '../../state/deep-proofs.ts';
import type { JobContext } from '../job.ts';
import { artefactOf } from './artefact-of.ts';
import { readDeeply, type DeepProof } from './prove-deeply.ts';

type Server = { engine: Engine; version: string };

/** How many bytes a digest of a block has. */
const digestBytes = 32;

/** Notes in our own state what was found in a backup. Nothing fails for the want of it. */
export function noteRead(
  context: JobContext,
  manifest: Manifest,
  { engine, version }: Server,
  { blocks, ...found }: DeepProof,
): void {
  try {
    const { sha256 } = artefactOf(manifest).plain;
    noteDeepProof(context.state(), {
      sha256,
      engine,
      version,
      at: context.clock.now(),
      found: JSON.stringify(found),
      blocks: Buffer.concat(blocks),
    });
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot note what was found in a backup');
  }
}

/**
 * Reads a dump that was staged for a proof value by value and notes what was found, so that a live restore need not. What
 * cannot be read so is none the worse as a backup.
 */
export async function readStaged(
  context: JobContext,
  manifest: Manifest,
  staged: string,
  server: Server,
): Promise<void> {
  const { signal, log } = context;
  // Programs that have read it as another user could have put a pipe there, or a link.
  async function* read(): AsyncGenerator<Uint8Array, void, void> {
    await using file = await openForeign(staged);
    yield* file.createReadStream({ autoClose: false, signal });
  }
  const seen = createHash('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of read()) {
      seen.update(chunk);
      yield chunk;
    }
  }
  try {
    const again = (blocks: BlockDigests): AsyncIterable<Uint8Array> => vetted(read(), blocks);
    const proof = await readDeeply(context, manifest, { server, dump: hashed(), again });
    // The programs that have read it meanwhile could have changed it.
    if (seen.digest('hex') !== artefactOf(manifest).plain.sha256)
      throw new Error('it is not what was staged');
    noteRead(context, manifest, server, proof);
  } catch (error) {
    signal.throwIfAborted();
    log.info({ id: manifest.id, cause: messageOf(error) }, 'this backup was not read value by value');
  }
}

/**
 * What was found in these very bytes, read as that version reads them, as our own state says. Each block that is sent later
 * is held to its digest, so that nothing else is. Undefined: never, as far as is known.
 */
export function readBefore(
  context: JobContext,
  manifest: Manifest,
  { engine, version }: Server,
): { proof: DeepProof; at: number } | undefined {
  try {
    const { sha256 } = artefactOf(manifest).plain;
    const noted = deepProofOf(context.state(), { sha256, engine, version });
    if (noted === undefined) return undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of this table's form only noteRead has written it
    const found = JSON.parse(noted.found) as Omit<DeepProof, 'blocks'>;
    return { proof: { ...found, blocks: digestsOf(noted.blocks) }, at: noted.at };
  } catch (error) {
    context.log.warn({ cause: messageOf(error) }, 'cannot see whether a backup was read before');
    return undefined;
  }
}

/** For plans and reports. */
export function describeRead(at: number): string {
  return `every value decoded on ${new Date(at).toISOString().slice(0, 10)}`;
}

function digestsOf(blocks: Uint8Array): BlockDigests {
  return Array.from({ length: blocks.length / digestBytes }, (_, index) =>
    Buffer.from(blocks.subarray(index * digestBytes, (index + 1) * digestBytes)),
  );
}
