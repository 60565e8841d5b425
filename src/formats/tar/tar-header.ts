import { AgentError } from '../../domain/errors.ts';

/** Everything in an archive is a multiple of it. */
export const blockBytes = 512;

/** One regular file in an archive. */
export interface TarEntry {
  name: string;
  bytes: number;
  /** Seconds since 1970. */
  modified: number;
}

// Where fields begin, and their lengths (POSIX.1-2017, pax, "ustar Interchange Format").
const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
} as const;
type Field = keyof typeof fields;

/** The largest size in eleven octal digits; larger ones are written in binary, as GNU tar does. */
const octalLimit = 8 ** 11;
const magic = 'ustar\x0000';

/** The header of a file that only its owner may read. `name` is ASCII, at most 100 bytes. */
export function formatTarHeader({ name, bytes, modified }: TarEntry): Uint8Array {
  const block = Buffer.alloc(blockBytes);
  const write = (field: Field, text: string): void => void block.write(text, fields[field][0], 'latin1');
  const octal = (field: Field, value: number): void =>
    write(field, `${value.toString(8).padStart(fields[field][1] - 1, '0')}\0`);
  write('name', name);
  octal('mode', 0o600);
  octal('uid', 0);
  octal('gid', 0);
  if (bytes < octalLimit) octal('size', bytes);
  else {
    const [from, length] = fields.size;
    block[from] = 0x80;
    block.writeBigUInt64BE(BigInt(bytes), from + length - 8);
  }
  octal('mtime', modified);
  write('type', '0');
  write('magic', magic);
  write('checksum', `${checksum(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Throws an AgentError `damaged` for what is no header of a regular file. */
export function parseTarHeader(block: Uint8Array): TarEntry {
  const bytes = Buffer.from(block.buffer, block.byteOffset, blockBytes);
  const text = (field: Field): string => {
    const [from, length] = fields[field];
    return bytes.toString('latin1', from, from + length).replace(/\0.*$/s, '');
  };
  if (text('magic') !== 'ustar' || number(text('checksum')) !== checksum(bytes))
    throw damaged('a header of the archive has changed');
  if (text('type') !== '0' || text('prefix') !== '')
    throw damaged('the archive holds something else than files of an append only file');
  return { name: text('name'), bytes: sizeOf(bytes, text('size')), modified: number(text('mtime')) ?? 0 };
}

function sizeOf(block: Buffer, text: string): number {
  const [from, length] = fields.size;
  if (block[from] !== 0x80) {
    const size = number(text);
    if (size === undefined) throw damaged('a file in the archive has no size');
    return size;
  }
  const size = block.readBigUInt64BE(from + length - 8);
  if (size > Number.MAX_SAFE_INTEGER) throw damaged('a file in the archive has an impossible size');
  return Number(size);
}

function number(text: string): number | undefined {
  return /^[0-7]+ ?$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** Of all bytes, those of the field itself counted as blanks. */
function checksum(block: Uint8Array): number {
  const [from, length] = fields.checksum;
  let sum = 0;
  for (let at = 0; at < blockBytes; at++) sum += at >= from && at < from + length ? 0x20 : block[at]!;
  return sum;
}

function damaged(problem: string): AgentError {
  return new AgentError('damaged', problem, { reason: 'tar' });
}
