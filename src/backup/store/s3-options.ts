import type { Clock } from '../../domain/clock.ts';
import type { Secret } from '../../domain/secret.ts';
import type { S3RepositorySettings } from '../../domain/settings.ts';

export interface S3StoreOptions {
  bucket: string;
  /** Without leading or trailing slash; may be empty. */
  prefix: string;
  region: string;
  /** Another S3-compatible service, http(s)://host[:port]; AWS when left out. */
  endpoint?: string | undefined;
  forcePathStyle: boolean;
  storageClass?: string | undefined;
  /** AES256, aws:kms or aws:kms:dsse. */
  serverSideEncryption?: S3RepositorySettings['server_side_encryption'];
  /** Retention of each object from the moment it is put. The bucket must have object lock. */
  objectLock?: S3RepositorySettings['object_lock'];
  /** The SDK's usual chain when left out: environment, shared files, web identity, container or instance role. */
  credentials?:
    | { accessKeyId: string; secretAccessKey: Secret; sessionToken?: Secret | undefined }
    | undefined;
  /** For waits between retries and for the end of object locks. */
  clock: Clock;
}
