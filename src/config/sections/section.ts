import type * as z from 'zod';

/** A section of the configuration file: all that is known of it. Its type is in domain/settings/. */
export interface Section<Value> {
  /**
   * Validates it and fills in every default; a section that may be left out says so (`prefault`, `optional`). `folder` is
   * the configuration file's own, from which relative paths count.
   */
  schema(folder: string): z.ZodType<Value>;
  /** The value as the file would have it: `15s`, `off`. As it is, when left out. */
  show?(value: Value): unknown;
  /** Its part of conf/config.example.yaml, with the comments that explain it. */
  example: string;
}
