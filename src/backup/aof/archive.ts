import { formatAofManifest } from '../../formats/aof/aof-manifest.ts';
import {
  archiveFile,
  archiveManifest,
  memberPath,
  renamedManifest,
} from '../../formats/aof/archive-names.ts';
import { blockBytes, formatTarHeader } from '../../formats/tar/tar-header.ts';
import type { ReadAt } from '../../lib/files/read-at.ts';
import { paddingOf } from '../../formats/tar/tar-reader.ts';
import type { AofPart } from './copy-set.ts';
import type { OpenAofSet } from './open-set.ts';
import { becameShorter } from './read-range.ts';

/** A tar archive that is nowhere: its bytes are made where they are read, from the open files of a set. */
export interface AofArchive {
  bytes: number;
  handle: ReadAt;
}

/** Bytes of the archive: some of ours, or the first of a file's. */
interface Segment {
  at: number;
  length: number;
  bytes?: Uint8Array;
  part?: AofPart;
}

/**
 * The archive of the first bytes of files that are held open: a manifest that lists just these, and the files under the
 * names that servers give them. `modified`: seconds since 1970, for all of them. It reads while the files are open.
 */
export function archiveAofSet(
  { manifest }: OpenAofSet,
  parts: readonly AofPart[],
  modified: number,
): AofArchive {
  const segments: Segment[] = [];
  let end = 0;
  const add = (length: number, content: Pick<Segment, 'bytes' | 'part'>): void => {
    if (length > 0) segments.push({ at: end, length, ...content });
    end += length;
  };
  const addFile = (name: string, length: number, content: Pick<Segment, 'bytes' | 'part'>): void => {
    add(blockBytes, { bytes: formatTarHeader({ name, bytes: length, modified }) });
    add(length, content);
    add(paddingOf(length), { bytes: new Uint8Array(paddingOf(length)) });
  };
  if (manifest === undefined) {
    for (const part of parts) addFile(archiveFile, part.bytes, { part });
  } else {
    const renamed = renamedManifest(manifest, archiveFile);
    const text = Buffer.from(formatAofManifest(renamed));
    addFile(archiveManifest, text.length, { bytes: text });
    const names = [...(renamed.base === undefined ? [] : [renamed.base]), ...renamed.incrs];
    parts.forEach((part, index) => addFile(memberPath(names[index]?.name ?? ''), part.bytes, { part }));
  }
  add(2 * blockBytes, { bytes: new Uint8Array(2 * blockBytes) });
  return { bytes: end, handle: { read: (...range) => readSegments(segments, ...range) } };
}

/** As FileHandle.read: fills `length` bytes, or as many as there are. */
async function readSegments(
  segments: readonly Segment[],
  buffer: Buffer<ArrayBuffer>,
  offset: number,
  length: number,
  position: number,
): Promise<{ bytesRead: number }> {
  let done = 0;
  // Each block of a large archive is looked for anew; there are a few dozen segments at most.
  for (const { at, length: all, bytes, part } of segments) {
    const from = position + done - at;
    if (done === length || from < 0 || from >= all) continue;
    const wanted = Math.min(all - from, length - done);
    if (bytes !== undefined) buffer.set(bytes.subarray(from, from + wanted), offset + done);
    else if (part !== undefined) await readPart(part, buffer, offset + done, wanted, from);
    done += wanted;
  }
  return { bytesRead: done };
}

async function readPart(
  { file, bytes }: AofPart,
  buffer: Buffer<ArrayBuffer>,
  offset: number,
  length: number,
  from: number,
): Promise<void> {
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.handle.read(buffer, offset + done, length - done, from + done);
    if (bytesRead === 0) throw becameShorter(file.name, from + done, bytes);
    done += bytesRead;
  }
}
