import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeAgain, decodeAof, decodeRdb, verifyStored } from '../../../../src/backup/artefact/decode.ts';
import { artefactName, storedAsIs } from '../../../../src/domain/backup.ts';
import { makeAofArchive, sampleAofFiles } from '../../../support/data/aof-archive.ts';
import {
  digestOf,
  encoded,
  encodedArchive,
  neverAborted,
  sampleRdb,
} from '../../../support/data/artefacts.ts';
import { collect, inChunksOf } from '../../../support/data/chunks.ts';
import { resp } from '../../../support/data/resp.ts';
import { runs } from '../../../support/house/tier.ts';

let identity: string;
let recipient: string;

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

/** The archive of an append only file with commands of about so many bytes. */
function sampleArchive(bytes: number): Buffer {
  const commands = Array.from({ length: 1 + (bytes >> 5) }, (_, at) => resp(['SET', `key:${at}`, 'value']));
  const last = 'appendonlydir/appendonly.aof.6.incr.aof';
  return makeAofArchive({ ...sampleAofFiles(), [last]: Buffer.concat(commands) });
}

const kinds = {
  rdb: { sample: sampleRdb, encode: encoded, decode: decodeRdb },
  aof: { sample: sampleArchive, encode: encodedArchive, decode: decodeAof },
} as const;

describe.each(['rdb', 'aof'] as const)('an artefact of kind %s', (kind) => {
  const { sample, encode, decode } = kinds[kind];
  const form = fc.record({
    compression: fc.constantFrom('none' as const, { zstd: 1 }, { zstd: 3 }),
    sealed: fc.boolean(),
    bytes: fc.integer({ min: 26, max: 200_000 }),
    chunk: fc.integer({ min: 100, max: 100_000 }),
  });

  test('is what was encoded again, in every form, and its name says which', async () => {
    await fc.assert(
      fc.asyncProperty(form, async ({ compression, sealed, bytes, chunk }) => {
        const plain = sample(bytes);
        const recipients = sealed ? [recipient] : [];
        const { stored, artefact, name } = await encode(plain, { compression, recipients });
        expect(artefact).toMatchObject({ name, plain: digestOf(plain), stored: digestOf(stored) });
        expect(name).toBe(artefactName(kind, artefact));
        expect(stored.equals(plain)).toBe(storedAsIs(artefact));
        const options = { identities: [identity], signal: neverAborted };
        for (const read of [decode, decodeAgain])
          expect((await collect(read(inChunksOf(stored, chunk), artefact, options))).equals(plain)).toBe(
            true,
          );
        await verifyStored(inChunksOf(stored, chunk), artefact, neverAborted);
      }),
      { numRuns: runs(40) },
    );
  });

  test('is damaged when a bit is another, or its end is missing', async () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bit: fc.nat(7),
    });
    await fc.assert(
      fc.asyncProperty(form, change, async ({ compression, sealed, bytes, chunk }, { at, bit }) => {
        const recipients = sealed ? [recipient] : [];
        const { stored, artefact } = await encode(sample(bytes), { compression, recipients });
        const place = Math.floor(at * stored.length);
        const flipped = Buffer.from(stored);
        flipped[place]! ^= 1 << bit;
        const options = { identities: [identity], signal: neverAborted };
        for (const wrong of [flipped, stored.subarray(0, place)]) {
          const damaged = expect.objectContaining({ code: 'damaged' });
          const reading = collect(decode(inChunksOf(wrong, chunk), artefact, options));
          await expect(reading).rejects.toEqual(damaged);
          await expect(verifyStored(inChunksOf(wrong, chunk), artefact, neverAborted)).rejects.toEqual(
            damaged,
          );
        }
      }),
      { numRuns: runs(40) },
    );
  });
});
