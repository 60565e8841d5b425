import { blockBytes, formatTarHeader } from '../../../src/formats/tar/tar-header.ts';
import { paddingOf } from '../../../src/formats/tar/tar-reader.ts';
import { makeRdb } from '../rdb/rdb.ts';
import { resp } from './resp.ts';

/** An archive of these files, in their order. */
export function makeAofArchive(files: Record<string, Buffer>): Buffer {
  const parts = Object.entries(files).flatMap(([name, bytes]) => [
    formatTarHeader({ name, bytes: bytes.length, modified: 0 }),
    bytes,
    Buffer.alloc(paddingOf(bytes.length)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}

/** A sound set: a base that is an RDB, an incr with commands, and an empty one. */
export function sampleAofFiles(): Record<string, Buffer> {
  const manifest = ['2.base.rdb seq 2 type b', '5.incr.aof seq 5 type i', '6.incr.aof seq 6 type i']
    .map((line) => `file appendonly.aof.${line}\n`)
    .join('');
  return {
    'appendonlydir/appendonly.aof.manifest': Buffer.from(manifest),
    'appendonlydir/appendonly.aof.2.base.rdb': makeRdb(700),
    'appendonlydir/appendonly.aof.5.incr.aof': resp(['SELECT', '0'], ['SET', 'a', '1\r\n*9']),
    'appendonlydir/appendonly.aof.6.incr.aof': Buffer.alloc(0),
  };
}
