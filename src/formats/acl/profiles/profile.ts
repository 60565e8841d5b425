/** What an application of one kind needs of a server, and nothing more. */
export interface AclProfile {
  /** As typed: `bullmq`. */
  name: string;
  /** What it is for, one line. */
  title: string;
  /** Whose traffic has proven it, with the version; null: it grants everything, or nothing to prove. */
  proven: string | null;
  /** Commands `get`, `client|setname`, or categories `@read`, `-@dangerous`, in the order in which they are granted. */
  commands: readonly string[];
  /** Commands that only some uses need: not granted without being asked for. */
  optional: readonly { command: string; for: string }[];
  /** Key patterns by default; `*` is every key. */
  keys: readonly string[];
  /** Only reading, where the server can tell (7.0 and later). */
  readOnly?: boolean;
  /** Channel patterns by default. */
  channels: readonly string[];
  /** What a person should know, a line each. */
  notes: readonly string[];
}
