import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeAgain, decodeRdb, verifyStored } from '../../../../src/backup/artefact/decode.ts';
import type { Artefact } from '../../../../src/domain/backup.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { CompressionSettings } from '../../../../src/domain/settings.ts';
import { artefactOf, digestOf, encoded, neverAborted, sampleRdb } from '../../../support/data/artefacts.ts';
import { collect, inChunksOf } from '../../../support/data/chunks.ts';

const block = 4 * 2 ** 20;
let identity: string;
let recipient: string;

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

/** Every way in which an artefact can be stored. */
function forms(): { recipients: string[]; compression: CompressionSettings }[] {
  return [[], [recipient]].flatMap((recipients) => [
    { recipients, compression: { zstd: 1 } },
    { recipients, compression: 'none' },
  ]);
}

interface Case {
  stored: Uint8Array;
  artefact: Artefact;
  identities?: string[];
  chunk?: number;
}

function decode({ stored, artefact, identities = [identity], chunk = 100_000 }: Case): Promise<Buffer> {
  return collect(decodeRdb(inChunksOf(stored, chunk), artefact, { identities, signal: neverAborted }));
}

/** `decoded` or `code: message`. */
async function outcome(one: Case): Promise<string> {
  try {
    await decode(one);
    return 'decoded';
  } catch (error) {
    return error instanceof AgentError
      ? `${error.code}: ${error.message}`
      : `no AgentError: ${String(error)}`;
  }
}

async function verify(stored: Uint8Array, artefact: Artefact): Promise<void> {
  await verifyStored(inChunksOf(stored, 1000), artefact, neverAborted);
}

describe('what encodeRdb makes, decodeRdb gives back', () => {
  test.each([18, 26, 1000, block - 1, block, block + 1, 3 * block + 7])('%i bytes', async (bytes) => {
    const plain = sampleRdb(bytes);
    for (const form of forms()) {
      const { stored, artefact } = await encoded(plain, form);
      expect((await decode({ stored, artefact })).equals(plain)).toBe(true);
      await verify(stored, artefact);
    }
  });

  test('in chunks of any size', async () => {
    const plain = sampleRdb(3000);
    for (const form of forms()) {
      const { stored, artefact } = await encoded(plain, form);
      for (const chunk of [1, 2, 3, 5, 16, 17, 100, 1000, stored.length]) {
        expect((await decode({ stored, artefact, chunk })).equals(plain), `chunks of ${chunk}`).toBe(true);
      }
    }
  });

  test("around age's chunks of 64 KiB", async () => {
    const { encryptAge } = await import('../../../../src/backup/artefact/age-encrypt.ts');
    const { decryptAge } = await import('../../../../src/backup/artefact/age-decrypt.ts');
    for (const bytes of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]) {
      const clear = Buffer.alloc(bytes, 'some text ');
      for (const chunk of [65_536, 50_000, 200_000]) {
        const sealed = await collect(encryptAge(inChunksOf(clear, chunk), [recipient]));
        const options = { identities: [identity], recipients: [recipient] };
        expect((await collect(decryptAge(inChunksOf(sealed, chunk), options))).equals(clear)).toBe(true);
      }
    }
  });

  test('for each of several recipients', async () => {
    const other = await generateX25519Identity();
    const recipients = [recipient, await identityToRecipient(other)];
    const plain = sampleRdb(500);
    const { stored, artefact } = await encoded(plain, { recipients });
    expect(artefact.encryption).toEqual({ algorithm: 'age', recipients });
    expect((await decode({ stored, artefact, identities: [other] })).equals(plain)).toBe(true);
    expect((await decode({ stored, artefact, identities: [identity] })).equals(plain)).toBe(true);
  });
});

describe.each([
  ['dump.rdb.zst', { zstd: 1 }, []],
  ['dump.rdb.zst.age', { zstd: 1 }, ['us']],
  ['dump.rdb', 'none', []],
  ['dump.rdb.age', 'none', ['us']],
] as const)('a stored file that is not what it was: %s', (name, compression, us) => {
  const asIs = name === 'dump.rdb';
  let stored: Buffer;
  let artefact: Artefact;

  beforeAll(async () => {
    const recipients = us.map(() => recipient);
    ({ stored, artefact } = await encoded(sampleRdb(200), { recipients, compression }));
  });

  test('every flipped byte is found', async () => {
    for (let at = 0; at < stored.length; at++) {
      const flipped = Buffer.from(stored);
      flipped[at]! ^= 0x04;
      expect(await outcome({ stored: flipped, artefact }), `byte ${at}`).toMatch(
        `damaged: ${name} is damaged: `,
      );
      await expect(verify(flipped, artefact)).rejects.toThrow('have changed');
    }
  });

  test('every truncation is found', async () => {
    for (let length = 0; length < stored.length; length++) {
      const cut = stored.subarray(0, length);
      const text = `it is truncated: ${length} bytes of ${stored.length} are there`;
      expect(await outcome({ stored: cut, artefact })).toBe(`damaged: ${artefact.name} is damaged: ${text}`);
      await expect(verify(cut, artefact)).rejects.toThrow(text);
    }
  });

  test('appended bytes are found', async () => {
    for (const garbage of [Buffer.from('x'), Buffer.alloc(70_000), stored]) {
      const longer = Buffer.concat([stored, garbage]);
      expect(await outcome({ stored: longer, artefact })).toMatch('damaged');
      await expect(verify(longer, artefact)).rejects.toThrow(`more than its ${stored.length} bytes`);
    }
  });

  test('another file in its place is found', async () => {
    const foreign = Buffer.alloc(stored.length, 'PK\x03\x04');
    expect(await outcome({ stored: foreign, artefact })).toMatch(
      asIs ? 'its bytes have changed' : /damaged: .* this is no (zstd|age) file/,
    );
  });

  test('a file that is stored right and was wrong when its manifest was written is found', async () => {
    const flipped = Buffer.from(stored);
    flipped[stored.length - 1]! ^= 1;
    const found = await outcome({ stored: flipped, artefact: { ...artefact, stored: digestOf(flipped) } });
    expect(found).toMatch(asIs ? 'its bytes have changed' : /^damaged: .*byte \d+/);
  });
});

describe('decodeRdb', () => {
  test('finds content that is not what the manifest says', async () => {
    const plain = sampleRdb(300);
    const { stored, artefact } = await encoded(plain);
    const saying = (change: object): Promise<string> => {
      return outcome({ stored, artefact: { ...artefact, plain: { ...artefact.plain, ...change } } });
    };
    expect(await saying({ bytes: 299 })).toContain('it decodes to more than 299 bytes');
    expect(await saying({ bytes: 301 })).toContain('it decodes to 300 bytes instead of 301');
    expect(await saying({ sha256: digestOf(stored).sha256 })).toContain('it decodes to other bytes');
  });

  test('finds an RDB that was damaged before it was encoded', async () => {
    const { zstdCompressSync } = await import('node:zlib');
    const plain = sampleRdb(300);
    plain[100]! ^= 1;
    const stored = zstdCompressSync(plain);
    expect(await outcome({ stored, artefact: artefactOf(plain, stored) })).toContain(
      'its CRC64 does not match',
    );
  });

  test('a wrong or missing key is no damage, and says what to set', async () => {
    const { stored, artefact } = await encoded(sampleRdb(300), { recipients: [recipient] });
    const other = await generateX25519Identity();
    for (const identities of [[], [other]]) {
      await expect(decode({ stored, artefact, identities })).rejects.toMatchObject({
        code: 'failed',
        reason: 'no-identity',
        hint: `set repository.encryption.age_identity to the key of ${recipient}`,
      });
    }
    const broken = await outcome({ stored, artefact, identities: [identity.slice(0, -3)] });
    expect(broken).toBe('usage: repository.encryption.age_identity holds a line that is no age identity');
  });

  test('an age header without an end is refused in bounded memory', async () => {
    const endless = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), Buffer.alloc(300_000, 'x')]);
    expect(
      await outcome({ stored: endless, artefact: artefactOf(endless, endless, { recipients: [recipient] }) }),
    ).toContain('the age header has no end');
  });

  test('an abort rejects with its reason and releases the source', async () => {
    for (const form of forms()) {
      const { stored, artefact } = await encoded(sampleRdb(5 * block), form);
      const abort = new AbortController();
      const reason = new Error('enough');
      let released = false;
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* inChunksOf(stored, 300_000);
        } finally {
          released = true;
        }
      };
      const run = async (): Promise<void> => {
        const options = { identities: [identity], signal: abort.signal };
        for await (const _ of decodeRdb(source(), artefact, options)) abort.abort(reason);
      };
      await expect(run()).rejects.toBe(reason);
      expect(released).toBe(true);
    }
  });

  test("passes on the store's errors as they are", async () => {
    const { stored, artefact } = await encoded(sampleRdb(300), { recipients: [recipient] });
    const lost = new AgentError('repository', 'the connection was lost');
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield stored.subarray(0, 250);
      throw lost;
    };
    const options = { identities: [identity], signal: neverAborted };
    await expect(collect(decodeRdb(source(), artefact, options))).rejects.toBe(lost);
    await expect(verifyStored(source(), artefact, neverAborted)).rejects.toBe(lost);
  });
});

test.each([0, 1])('what is not compressed comes in blocks of 1 MiB, whatever the chunks', async (us) => {
  const plain = sampleRdb(block + 7);
  const recipients = us === 0 ? [] : [recipient];
  const { stored, artefact } = await encoded(plain, { recipients, compression: 'none' });
  for (const chunk of [999, 65_536, 2 ** 20, stored.length])
    for (const read of [decodeRdb, decodeAgain]) {
      const options = { identities: [identity], signal: neverAborted };
      const lengths: number[] = [];
      const parts: Buffer[] = [];
      for await (const each of read(inChunksOf(stored, chunk), artefact, options)) {
        lengths.push(each.length);
        parts.push(Buffer.from(each));
      }
      expect(Buffer.concat(parts).equals(plain)).toBe(true);
      expect(lengths).toEqual([2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20, 7]);
    }
});
