import type { SecretRef } from './secret.ts';

/**
 * The validated configuration, as plain data: config/ makes it from YAML, everything else reads it.
 * Keys are those of config.yaml. Durations are milliseconds, sizes bytes. No secret is in here.
 */
export interface Settings {
  instances: InstanceSettings[];
  repository: RepositorySettings;
  backup: BackupSettings;
  verify: {
    /** cron expression for reading back every stored backup, or null for none. */
    schedule: string | null;
    /** Prove each backup right after it was taken. */
    after_backup: boolean;
    /** Let the proof load it into a scratch server, where memory allows. */
    load: boolean;
  };
  drill: {
    /** cron expression for rehearsing a restore of the newest backup, or null for none. */
    schedule: string | null;
    /** A finding when the last one was longer ago. By default two periods of the schedule; null without one. */
    overdue_after: number | null;
  };
  aof: {
    /** cron expression for checking what the append only file has grown by, or null for none. */
    schedule: string | null;
  };
  state: { path: string };
  /** IANA zone for schedules and for times shown to people; the host's own when left out. */
  timezone?: string | undefined;
}

export interface TlsSettings {
  /** PEM files. `ca` replaces the system's roots. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** Name to check the certificate against when it differs from the URL's host. */
  server_name?: string | undefined;
}

/** The name of a systemd unit, or program and arguments of commands. Without `stop` the server is asked to end. */
export type ServiceSettings = string | { start: string[]; stop?: string[] | undefined };

export interface InstanceSettings {
  name: string;
  /** redis://host:port, rediss://host:port or unix:///path; never with a user or password in it. */
  url: string;
  username?: string | undefined;
  password?: SecretRef | undefined;
  tls?: TlsSettings | undefined;
  /** How the server is started and stopped: a systemd unit, or commands; found when left out. */
  service?: ServiceSettings | undefined;
  role?: 'cache' | 'queue' | 'session' | 'durable' | undefined;
}

export interface EncryptionSettings {
  /** age1… public keys. Empty: backups are stored in the clear. */
  age_recipients: string[];
  /** Needed to verify and restore encrypted backups, not to take them. */
  age_identity?: SecretRef | undefined;
}

/** zstd's level, 1..19; none: artefacts are stored uncompressed. */
export type CompressionSettings = { zstd: number } | 'none';

interface RepositoryCommon {
  compression: CompressionSettings;
  encryption: EncryptionSettings;
}

export interface FilesystemRepositorySettings extends RepositoryCommon {
  type: 'filesystem';
  path: string;
}

export interface S3RepositorySettings extends RepositoryCommon {
  type: 's3';
  bucket: string;
  /** Key prefix without leading or trailing slash; may be empty. */
  prefix: string;
  region: string;
  /** Another S3-compatible service: http(s)://host[:port]. */
  endpoint?: string | undefined;
  force_path_style: boolean;
  storage_class?: string | undefined;
  /** AES256, aws:kms or aws:kms:dsse, with an optional key id. */
  server_side_encryption?: { algorithm: string; kms_key_id?: string | undefined } | undefined;
  /** Object-lock retention from the moment of writing. */
  object_lock?: { mode: 'GOVERNANCE' | 'COMPLIANCE'; days: number } | undefined;
  /** The SDK's usual chain when left out. */
  credentials?:
    | { access_key_id: SecretRef; secret_access_key: SecretRef; session_token?: SecretRef | undefined }
    | undefined;
}

export type RepositorySettings = FilesystemRepositorySettings | S3RepositorySettings;

export interface RetentionSettings {
  /** Keep everything younger than this many days. */
  days: number;
  /** Keep at least this many, however old. */
  keep_min: number;
  /** Besides: the newest backup of each of the last N days, ISO weeks, months. */
  daily: number;
  weekly: number;
  monthly: number;
}

export interface BackupSettings {
  /** cron expression, or null for none. */
  schedule: string | null;
  /** Largest random delay before a scheduled run. */
  jitter: number;
  retention: RetentionSettings;
  /** A backup whose keys or bytes fell by more than this share (0..1) of the one before is suspicious. */
  shrink_alert: number;
  /** A finding when the newest backup is older than this. By default two missed runs and an hour. */
  stale_after: number;
  /** Longest wait for the server to write its snapshot. */
  snapshot_timeout: number;
}
