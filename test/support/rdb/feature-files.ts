import * as fc from 'fast-check';
import { writeRdb, type WrittenFile } from './rdb-writer.ts';
import { anyKey, anyOther, typesIn, versions } from './arbitraries.ts';
import type { FileItem } from './model.ts';
import { anyStyle } from './style.ts';

export interface FeatureFile {
  name: string;
  file: WrittenFile;
}

const smallest = 600;

/** A small file for each type of each engine and for each thing between keys; the same in every run. */
export function featureFiles(checksum: boolean): FeatureFile[] {
  return versions
    .filter(({ engine, version }) => engine === 'valkey' || [3, 5, 8, 12].includes(version))
    .flatMap(({ engine, version }) => {
      const write = (items: FileItem[], seed: number): WrittenFile =>
        writeRdb({ engine, version, checksum, items }, anyStyle(seed));
      const types = typesIn(engine, version)
        .filter(({ since }) => (since[engine] ?? 0) > 11 || version === 12 || version === 3)
        .map((type) => {
          const keys = fc.sample(anyKey([type], version), { numRuns: 40, seed: type.code });
          const files = keys
            .map((key, at) => write([key], at))
            .filter(({ bytes }) => bytes.length < smallest);
          const file = files.toSorted((a, b) => a.bytes.length - b.bytes.length)[files.length >> 1];
          if (file === undefined) throw new Error(`no small file with type ${type.code}`);
          return { name: `${engine} ${version}, type ${type.code} ${type.layout}`, file };
        });
      const others = fc.sample(anyOther(engine, version), { numRuns: 60, seed: version });
      const between = [...new Map(others.map((item) => [item.kind, item])).values()];
      const kinds = between
        .map((item, at) => ({ name: `${engine} ${version}, ${item.kind}`, file: write([item], at) }))
        .filter(({ file }) => file.bytes.length < smallest);
      return [...types, ...kinds];
    });
}
