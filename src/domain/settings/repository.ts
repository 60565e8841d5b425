import type { SecretRef } from '../secret.ts';

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
  /** Checksum headers of uploads: where the service takes them, always, or never. */
  checksums: 'auto' | 'required' | 'off';
  /** Bytes of the parts of an upload; larger where an object would need too many. */
  part_size?: number | undefined;
  /** http(s)://host:port, or none whatever the environment says; HTTPS_PROXY and NO_PROXY when left out. */
  proxy?: string | undefined;
  /** PEM file, which replaces the usual authorities. */
  ca?: string | undefined;
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
