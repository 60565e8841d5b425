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
  /** auto: checksum headers unless the service refuses them; required: always; off: never, Content-MD5 instead. */
  checksums?: 'auto' | 'required' | 'off' | undefined;
  /** Bytes of each part of an upload but the last; larger where an object would need too many. */
  partSize?: number | undefined;
  /** http(s)://host:port that requests go through; 'none': directly, whatever `env` says. */
  proxy?: string | undefined;
  /** PEM file that replaces the usual authorities. */
  ca?: string | undefined;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read from it. */
  env?: NodeJS.ProcessEnv | undefined;
  /** For waits between retries and for the end of object locks. */
  clock: Clock;
}
