import * as z from 'zod';
import type { RepositorySettings } from '../../domain/settings/repository.ts';
import { closest } from '../../lib/text/closest.ts';
import { bytes, path, secretRef, text, whole } from '../fields.ts';
import type { Section } from './section.ts';

export const repositorySection: Section<RepositorySettings> = {
  schema: repositorySchema,
  show(repository) {
    if (repository.type === 'filesystem') return repository;
    const { object_lock: lock, part_size: part, ...others } = repository;
    const rest = { ...others, ...(part !== undefined && { part_size: `${part}b` }) };
    if (lock === undefined) return rest;
    return { ...rest, object_lock_days: lock.days, object_lock_mode: lock.mode.toLowerCase() };
  },
  example: `# Where backups are kept: <path or prefix>/<instance>/<id>/.
repository:
  type: filesystem
  path: /var/lib/redis-agent/repository

  # Or an S3-compatible service:
  # type: s3
  # bucket: example-backups
  # prefix: redis                              # default: none
  # region: eu-central-1                       # default: us-east-1
  # endpoint: https://s3.example.net           # other services than Amazon's
  # force_path_style: true                     # default: true with an endpoint, else false
  # checksums: auto                            # required: a service that refuses them is an error; off: never sent
  # part_size: 16mb                            # of uploads, 5mb to 512mb; larger where there would be over 10 000
  # proxy: http://proxy.internal.example:3128  # default: HTTPS_PROXY and NO_PROXY of the environment; none: directly
  # ca: /etc/redis-agent/tls/s3-ca.pem         # of the service's certificate, instead of the system's authorities
  # storage_class: STANDARD_IA
  # server_side_encryption: { algorithm: "aws:kms", kms_key_id: alias/backups }   # or AES256, aws:kms:dsse
  # object_lock_days: 30                       # nobody can delete a backup before that; the bucket must allow it
  # object_lock_mode: governance               # or compliance, which not even the account's owner can lift
  # credentials:                               # default: the usual chain (environment, shared files, instance role)
  #   access_key_id: { file: /etc/redis-agent/secrets/s3-id }
  #   secret_access_key: { file: /etc/redis-agent/secrets/s3-key }
  #   session_token: { env: AWS_SESSION_TOKEN }

  compression: { zstd: 1 }                     # 1 (fast) to 19 (small), or compression: none; default: { zstd: 1 }
  # Encryption before anything leaves this host. Without recipients backups are stored in the clear.
  # encryption:
  #   age_recipients: [age1…]                  # public keys, from age-keygen; each of them can decrypt
  #   age_identity: { file: /etc/redis-agent/secrets/age-identity }   # to verify and restore; not to back up
`,
};

const mebibyte = 2 ** 20;

function repositorySchema(folder: string): z.ZodType<RepositorySettings> {
  const common = {
    compression,
    encryption: z
      .strictObject({
        age_recipients: z.array(recipient).default([]),
        age_identity: secretRef(folder).optional(),
      })
      .prefault({}),
  };
  const filesystem = z.strictObject({ type: z.literal('filesystem'), path: path(folder), ...common });
  const s3 = z
    .strictObject({
      type: z.literal('s3'),
      bucket,
      prefix,
      region: text.default('us-east-1'),
      endpoint: endpoint.optional(),
      force_path_style: z.boolean().optional(),
      checksums: z.enum(['auto', 'required', 'off']).default('auto'),
      part_size: bytes(5 * mebibyte, 512 * mebibyte).optional(),
      proxy: proxy.optional(),
      ca: path(folder).optional(),
      storage_class: storageClass.optional(),
      server_side_encryption: serverSideEncryption.optional(),
      object_lock_days: whole(1, 36_500).optional(),
      object_lock_mode: z.enum(['governance', 'compliance']).default('governance'),
      credentials: z
        .strictObject({
          access_key_id: secretRef(folder),
          secret_access_key: secretRef(folder),
          session_token: secretRef(folder).optional(),
        })
        .optional(),
      ...common,
    })
    .transform(({ object_lock_days: days, object_lock_mode: mode, force_path_style, ...rest }) => ({
      ...rest,
      // Other services seldom have a DNS name per bucket.
      force_path_style: force_path_style ?? rest.endpoint !== undefined,
      object_lock: days === undefined ? undefined : { mode: lockModes[mode], days },
    }));
  return z.discriminatedUnion('type', [filesystem, s3], {
    error: ({ input }) => (input === undefined ? missing : undefined),
  });
}

/** Its own words where it is neither; where it is a section, what is wrong in that is said. */
const compression = z
  .union([z.literal('none'), z.strictObject({ zstd: whole(1, 19).default(1) })], {
    error: ({ input }) => {
      const off = typeof input === 'string' && closest(input, ['none', 'off', 'no', 'never']) !== undefined;
      const meant = off || input === false ? '; did you mean none?' : '';
      return `is neither none nor a section; write { zstd: 1 } (fast) to { zstd: 19 } (small), or none${meant}`;
    },
  })
  .prefault({});

const missing =
  'is missing; say where backups are kept: { type: filesystem, path: … } or { type: s3, bucket: … }';

/** As the S3 API writes them. */
const lockModes = { governance: 'GOVERNANCE', compliance: 'COMPLIANCE' } as const;

/** A mistake here would make backups that nobody can decrypt, so the library itself decodes the key. */
const recipient = z.string().superRefine(async (value, context) => {
  const problem = await recipientProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

async function recipientProblem(value: string): Promise<string | undefined> {
  if (/^AGE-(SECRET-KEY|PLUGIN)/i.test(value))
    return 'is a secret identity; put the public key (age1…) here, and the identity into age_identity: { file: … }';
  if (!value.startsWith('age1'))
    return 'is not an age recipient; write the public key that age-keygen prints: age1…';
  const { Encrypter } = await import('age-encryption');
  try {
    new Encrypter().addRecipient(value);
    return undefined;
  } catch {
    return 'is not a whole age recipient; copy the public key again (its check digits do not match)';
  }
}

const bucket = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/,
    'is not a bucket’s name; 3 to 63 letters, digits, dots and dashes',
  );

/** Slashes at the ends are dropped. */
const prefix = z
  .string()
  .max(512, 'is longer than 512 characters')
  .transform((value) => value.replace(/^\/+|\/+$/g, ''))
  .refine(
    (value) => value === '' || value.split('/').every((part) => !/^\.{0,2}$|[\p{Cc}\\]/u.test(part)),
    'is not a key prefix; write names with single slashes between them, such as backups/redis',
  )
  .default('');

const endpoint = z
  .string()
  .transform((value) => value.replace(/\/+$/, ''))
  .refine(
    (value) => /^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(value) && URL.canParse(value),
    'is not a service’s address; write http(s)://host[:port], and keys into credentials',
  );

const proxy = z.union([z.literal('none'), endpoint], {
  error:
    'is not a proxy’s address; write http://host:port without a user, or none; one with a password goes into HTTPS_PROXY of the environment',
});

const storageClass = z
  .string()
  .regex(/^[A-Z0-9_]+$/, 'is not a storage class; write its name in capitals, such as STANDARD_IA')
  .refine(
    (value) => !['GLACIER', 'DEEP_ARCHIVE'].includes(value),
    'cannot be read back at once, so backups could not be verified or restored; choose GLACIER_IR or STANDARD_IA',
  );

const algorithm = z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']);

const serverSideEncryption = z
  .strictObject({ algorithm, kms_key_id: text.optional() })
  .refine((value) => value.kms_key_id === undefined || value.algorithm !== 'AES256', {
    path: ['kms_key_id'],
    message: 'is not used by AES256; choose aws:kms, or leave it out',
  });
