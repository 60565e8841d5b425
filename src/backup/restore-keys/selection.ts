import { compileGlob } from '../../formats/glob/glob.ts';
import type { RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import type { DataType } from '../../formats/rdb/value-types.ts';

/** Which keys somebody asked for. */
export interface KeyChoice {
  /** Patterns as KEYS takes them; a key has to match one. */
  patterns: string[];
  /** Only of this database. */
  database: number | undefined;
  /** Only of this type, in the words of TYPE. */
  type: DataType | undefined;
}

/** Says of a record whether its key was asked for. */
export function compileChoice({ patterns, database, type }: KeyChoice): (record: RdbRecord) => boolean {
  const all = patterns.includes('*');
  const matchers = patterns.map((pattern) => compileGlob(Buffer.from(pattern)));
  return (record) => {
    if (database !== undefined && record.database !== database) return false;
    if (type !== undefined && record.type.data !== type) return false;
    if (all) return true;
    return matchers.some((matches) => matches(record.bytes, record.keyFrom, record.keyTo));
  };
}
