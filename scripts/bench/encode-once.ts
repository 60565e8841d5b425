/**
 * encode-once.ts DUMP FOLDER [RECIPIENT]: puts an existing dump into a local repository. A program of its own, so that
 * it holds only what a backup needs.
 */
import { open } from 'node:fs/promises';
import { encodeRdb } from '../../src/backup/artefact/encode.ts';
import { openFilesystemStore } from '../../src/backup/store/filesystem.ts';

const [dump = '', folder = '', recipient] = process.argv.slice(2);
const { signal } = new AbortController();
const source = await open(dump);
const store = await openFilesystemStore(folder);
const encoding = encodeRdb(
  { handle: source, bytes: (await source.stat()).size },
  { compression: { zstd: 1 }, recipients: recipient === undefined ? [] : [recipient], signal },
);
await store.put(`bench/${encoding.name}`, encoding.chunks, { signal });
await store.close();
await source.close();
