/** The newest manifest schema that this version writes and reads: 2 may say that an artefact is not compressed. */
export const manifestSchema = 2;

export type Engine = 'redis' | 'valkey';

/** The purpose of a backup of what a live restore replaced: it is never what `latest` means. */
export const preRestore = 'pre-restore';

/** What a backup was taken of: a snapshot (dump.rdb), or the append only file with all its parts. */
export type BackupKind = 'rdb' | 'aof';

/** What an artefact decodes to, by the kind of its backup. */
export const plainNames: Record<BackupKind, string> = { rdb: 'dump.rdb', aof: 'aof.tar' };

/** Names of stored artefacts: see artefactName. */
export const artefactNames = [
  'dump.rdb',
  'dump.rdb.age',
  'dump.rdb.zst',
  'dump.rdb.zst.age',
  'aof.tar',
  'aof.tar.age',
  'aof.tar.zst',
  'aof.tar.zst.age',
] as const;

/** Keys in one database. `expires` counts those with a time to live; both at the moment of the snapshot. */
export interface KeyCount {
  keys: number;
  expires: number;
}

/** Keys of all databases together. */
export function totalKeys(databases: Readonly<Record<string, Pick<KeyCount, 'keys'>>>): number {
  return Object.values(databases).reduce((sum, { keys }) => sum + keys, 0);
}

/** Length and SHA-256 (lower-case hex) of a sequence of bytes. */
export interface Digest {
  bytes: number;
  sha256: string;
}

/** One stored file of a backup. Decoding it with public tools gives the plain file back. */
export interface Artefact {
  /** Object name beside the manifest: what `artefactName` makes of the rest. */
  name: string;
  /** The file as the server wrote it; of an append only file, the tar archive of its parts. */
  plain: Digest;
  /** The object as it is stored. */
  stored: Digest;
  compression: { algorithm: 'zstd'; level: number } | { algorithm: 'none' };
  /** age recipients that can decrypt it; null when stored in the clear. */
  encryption: { algorithm: 'age'; recipients: string[] } | null;
}

/** `dump.rdb` or `aof.tar`, then `.zst` where it is compressed, then `.age` where it is encrypted. */
export function artefactName(
  kind: BackupKind,
  { compression, encryption }: Pick<Artefact, 'compression' | 'encryption'>,
): string {
  const compressed = compression.algorithm === 'none' ? '' : '.zst';
  return `${plainNames[kind]}${compressed}${encryption === null ? '' : '.age'}`;
}

/** Is any of it stored in the clear? */
export function inTheClear({ artefacts }: Pick<Manifest, 'artefacts'>): boolean {
  return artefacts.some(({ encryption }) => encryption === null);
}

/** Neither compressed nor encrypted: what is stored is the plain file itself. */
export function storedAsIs({
  compression,
  encryption,
}: Pick<Artefact, 'compression' | 'encryption'>): boolean {
  return compression.algorithm === 'none' && encryption === null;
}

/** The oldest manifest schema that can tell of it: a version that cannot read it leaves it alone, and reads all others. */
export function schemaOf({ compression }: Pick<Artefact, 'compression'>): number {
  return compression.algorithm === 'none' ? 2 : 1;
}

/** The parts of an append only file, in the order in which a server loads them. */
export interface AofContent {
  /** single: one file, as servers before 7.0 write it. */
  layout: 'multi-part' | 'single';
  /** Names in the archive. `bytes` up to the last whole command outside of MULTI. */
  files: { name: string; type: 'base' | 'incr' | 'single'; bytes: number; commands: number }[];
}

/** Slots of a cluster, from the first to the last of them. */
export type SlotRange = [number, number];

/** What a node of a cluster held when its backup was taken. */
export interface ClusterPlace {
  /** Its id (CLUSTER MYID). */
  node: string;
  /** In order. */
  slots: SlotRange[];
  /** Slots that were on their way to or from it: some of their keys are in its dump, and others are not. */
  moving: number[];
}

/** The server that a snapshot came from, as it described itself. */
export interface ServerIdentity {
  engine: Engine;
  /** `valkey_version` on Valkey, whose `redis_version` is a compatibility constant. */
  version: string;
  role: 'master' | 'replica';
  run_id: string;
  replication_id: string;
  replication_offset: number;
  /** Bytes, `used_memory`: what a scratch server needs to load it. */
  used_memory: number;
  /** ISO 8601, when this server process started: tells a restart from a second server (a cloned host). */
  started_at: string;
}

/** Who wrote a backup. `machine` is a salted hash of the host's machine id. */
export interface WriterIdentity {
  host: string;
  machine: string;
  agent_version: string;
}

/**
 * manifest.json: written last, never changed. Without it there is no backup.
 * Times are ISO 8601 UTC, sizes bytes, durations seconds.
 */
export interface Manifest {
  schema: number;
  id: string;
  instance: string;
  kind: BackupKind;
  /** Why it was taken, where that is not a schedule or somebody's wish: see `preRestore`. */
  purpose?: string | undefined;
  /** When the snapshot was asked for, when the server had finished it, and when all was stored. */
  requested_at: string;
  snapshot_at: string;
  completed_at: string;
  duration_seconds: number;
  writer: WriterIdentity;
  server: ServerIdentity;
  /** Of the dump, or of the RDB that the append only file starts with; 0 where it does not start with one. */
  rdb_version: number;
  /** False when the server runs with `rdbchecksum no`: then only our own SHA-256 guards the content. */
  rdb_checksum: boolean;
  artefacts: Artefact[];
  keyspace: {
    /** By database number. */
    databases: Record<string, KeyCount>;
    /**
     * True when counted in the dump, by the server in the instant of the fork, or by a scratch server that has loaded
     * the append only file; false when counted near it.
     */
    exact: boolean;
  };
  /** Of a node of a cluster, where it could be asked. */
  cluster?: ClusterPlace | undefined;
  /** config.json or config.json.age beside it, where it is kept: how the server was set up (ServerConfig). */
  config?: ({ name: 'config.json' | 'config.json.age' } & Digest) | undefined;
  /**
   * `unproven`: that these files are this server's is its own word; neither its process was seen at work in their folder, nor had
   * it counted as many bytes. What it has written when it was asked to shows itself, as a dump does.
   */
  identity?: 'unproven' | undefined;
  /** Of kind `aof` only. */
  aof?: AofContent | undefined;
  /** What else was read in the dump. */
  content: {
    /** Keys by type, of all databases. */
    types: Record<string, number>;
    /** The server's notes in the dump: `redis-ver`, `ctime`, `used-mem` … */
    aux: Record<string, string>;
    /** Why it could not be read to its end, although the file as a whole is right; null: it was. */
    unread: string | null;
  };
  /** What was proven before the manifest was written. Later proofs are separate objects beside it. */
  verified: Verification;
}

/** Proofs, from cheap to dear; each includes those before it. */
export const verificationLevels = ['written', 'stored', 'decoded', 'checked', 'loaded'] as const;
export type VerificationLevel = (typeof verificationLevels)[number];

/** One proof of one backup at one time, an object of its own beside the manifest. */
export interface Verification {
  at: string;
  /**
   * written: what was read from the server was sound (CRC64), and all of it is stored by length ·
   * stored: length and SHA-256 of the object read back · decoded: decrypts, decompresses, plain length, SHA-256 and
   * CRC64 · checked: redis-check-rdb of the server's version · loaded: a scratch server loaded it and counts agreed.
   */
  level: VerificationLevel;
  ok: boolean;
  /** One line: what was proven, or what is wrong. */
  summary: string;
  duration_seconds: number;
}
