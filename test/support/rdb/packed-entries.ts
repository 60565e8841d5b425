import { packedReader } from '../../../src/formats/rdb/packed/packed.ts';
import type { Packing } from '../../../src/formats/rdb/value-types.ts';

/** The entries of a packed value: text as latin1, integers as numbers or bigints where that is how they are held. */
export function entriesOf(packing: Packing, bytes: Uint8Array): (string | number | bigint)[] {
  const reader = packedReader(packing);
  reader.open(bytes);
  const entries: (string | number | bigint)[] = [];
  while (reader.next()) {
    if (reader.isInteger) entries.push(reader.large ?? reader.value);
    else entries.push(Buffer.from(reader.bytes()).toString('latin1'));
  }
  return entries;
}

/** The same as the servers hand them out. */
export function textsOf(packing: Packing, bytes: Uint8Array): string[] {
  const reader = packedReader(packing);
  reader.open(bytes);
  const texts: string[] = [];
  while (reader.next()) texts.push(Buffer.from(reader.bytes()).toString('latin1'));
  return texts;
}

/** What is wrong with a packed value; undefined when nothing is. */
export function faultOf(packing: Packing, bytes: Uint8Array): string | undefined {
  try {
    textsOf(packing, bytes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
