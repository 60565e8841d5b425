import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import { storeError, type Operation } from './store-error.ts';
import type { StoreFailure } from './store.ts';

/** What messages and hints name. */
export interface S3Place {
  bucket: string;
  region: string;
  /** For people: a URL or `AWS`. */
  endpoint: string;
}

/** The IAM action behind a request, which a refusal names. */
export type S3Action =
  | 's3:PutObject'
  | 's3:GetObject'
  | 's3:DeleteObject'
  | 's3:ListBucket'
  | 's3:AbortMultipartUpload'
  | 's3:ListBucketMultipartUploads'
  | 's3:ListMultipartUploadParts'
  | 's3:GetBucketVersioning'
  | 's3:ListBucketVersions'
  | 's3:DeleteObjectVersion';

interface Meaning {
  reason: StoreFailure;
  why: string;
  hint?: string;
}

const badCredentials = [
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'TokenRefreshRequired',
];
const skewed = ['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'];
const wrongRegion = [
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
];
const outOfSpace = ['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'EntityTooLarge'];

/** Codes that are of more than the form of a request. */
const ofContent = new Set([
  'BadDigest',
  'IncompleteBody',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
  'InvalidDigest',
  'InvalidPart',
  'InvalidPartOrder',
  'EntityTooSmall',
  'InvalidStorageClass',
  'InvalidBucketName',
  'KeyTooLongError',
  'RequestTimeout',
  'NoSuchUpload',
  'NoSuchBucket',
  ...badCredentials,
  ...skewed,
  ...wrongRegion,
  ...outOfSpace,
]);

/** Does the service refuse the form of a request, so that a plainer one may be taken? */
export function isRefusedForm(cause: unknown): boolean {
  const status = statusOf(cause);
  if (status === 501) return true;
  return status === 400 && !(cause instanceof Error && ofContent.has(cause.name));
}

/** Turns what the SDK throws into the store's own error. */
export function s3Error(what: Operation, action: S3Action, place: S3Place, cause: unknown): AgentError {
  if (cause instanceof AgentError) return cause;
  const { reason, why, hint } = meaning(action, place, cause);
  return storeError(what, reason, why, { cause, hint });
}

function meaning(action: S3Action, place: S3Place, cause: unknown): Meaning {
  const name = cause instanceof Error ? cause.name : '';
  const status = statusOf(cause);
  if (name === 'NoSuchBucket')
    return {
      reason: 'no-bucket',
      why: `there is no bucket ${place.bucket} at ${place.endpoint}`,
      hint: 'create it, or check repository.bucket, region and endpoint',
    };
  if (skewed.includes(name))
    return {
      reason: 'clock-skew',
      why: 'the clocks of this host and of the server are too far apart',
      hint: 'set this host’s clock: see timedatectl, or chronyc tracking and chronyc makestep',
    };
  if (badCredentials.includes(name))
    return {
      reason: 'denied',
      why: `${place.endpoint} does not accept the credentials (${name})`,
      hint: 'check repository.credentials: the access key id, the secret key, and whether a session token has expired',
    };
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return {
      reason: 'denied',
      why: 'there are no credentials',
      hint: 'set repository.credentials, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or an instance role',
    };
  if (outOfSpace.includes(name) || status === 507)
    return { reason: 'full', why: messageOf(cause), hint: 'raise the quota, or keep fewer backups' };
  if (name === 'PreconditionFailed' || status === 412)
    return action === 's3:GetObject'
      ? { reason: 'unavailable', why: 'it was replaced while it was read' }
      : { reason: 'exists', why: 'there is an object of that name' };
  if (wrongRegion.includes(name) || status === 301)
    return {
      reason: 'unavailable',
      why: `${messageOf(cause)} (region ${place.region})`,
      hint: 'set repository.region and endpoint to where the bucket is',
    };
  if (name === 'AccessDenied' || status === 403 || status === 401)
    return {
      reason: 'denied',
      why: name === 'AccessDenied' ? messageOf(cause) : 'access denied',
      hint: `grant ${action} on ${place.bucket} to these credentials${
        action === 's3:PutObject'
          ? ' (with KMS also kms:GenerateDataKey and kms:Decrypt, with object lock s3:PutObjectRetention)'
          : ''
      }`,
    };
  if (name === 'NoSuchUpload')
    return action === 's3:PutObject'
      ? { reason: 'unavailable', why: 'somebody else ended the upload meanwhile' }
      : { reason: 'missing', why: 'there is no such upload' };
  if (status === 404 && action === 's3:GetObject')
    return { reason: 'missing', why: 'there is no such object' };
  // S3 has no 404 without a code of its own but HEAD's, and no answer but XML.
  if ((status === 404 && name !== 'NoSuchKey') || messageOf(cause).includes('Deserialization error'))
    return {
      reason: 'unavailable',
      why: `${place.endpoint} answers${status === undefined ? '' : ` ${status}`} with something that is not S3`,
      hint: 'check that repository.endpoint is the S3 service and not its web console or a proxy',
    };
  if (
    status === 501 ||
    name === 'NotImplemented' ||
    (status === 405 && action === 's3:ListBucketMultipartUploads')
  )
    return {
      reason: 'unsupported',
      why: `${place.endpoint} does not offer this (501${name === '' ? '' : ` ${name}`})`,
      hint: 'redis-agent check says what this service lacks; update it, or see checksums and storage_class of repository',
    };
  if (status === undefined || status >= 500 || status === 429) return unreachable(place, name, status, cause);
  return { reason: 'unavailable', why: [name, messageOf(cause)].filter(Boolean).join(': ') };
}

function unreachable(place: S3Place, name: string, status: number | undefined, cause: unknown): Meaning {
  if (status !== undefined)
    return {
      reason: 'unavailable',
      why: `${place.endpoint} answers ${status} ${name} again and again`,
      hint: 'the service is overloaded or broken: try again later',
    };
  const code = systemCode(cause) ?? '';
  const tls = /CERT|SSL|TLS|SELF_SIGNED|ISSUER|VERIFY/.test(code);
  return {
    reason: 'unavailable',
    why: `cannot reach ${place.endpoint}: ${messageOf(cause).replace(/; if the root CA is installed locally.*/, '')}`,
    hint: tls
      ? 'name the CA’s certificate (repository.ca), or check that endpoint is https and this host'
      : 'check repository.endpoint and proxy, the network and the firewall',
  };
}

/** The HTTP status of an SDK error; undefined when there was no answer at all. */
export function statusOf(cause: unknown): number | undefined {
  if (typeof cause !== 'object' || cause === null || !('$metadata' in cause)) return undefined;
  const metadata = cause.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
