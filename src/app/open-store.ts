import type { Clock } from '../domain/clock.ts';
import type { Secret, SecretRef } from '../domain/secret.ts';
import type { RepositorySettings } from '../domain/settings.ts';
import type { Store } from '../backup/store/store.ts';

/** Opens the configured store. Each back end, and with it the S3 client, is loaded only when it is used. */
export async function openStore(
  settings: RepositorySettings,
  {
    secret,
    clock,
    env,
  }: { secret: (ref: SecretRef, what: string) => Secret; clock: Clock; env: NodeJS.ProcessEnv },
): Promise<Store> {
  if (settings.type === 'filesystem') {
    const { openFilesystemStore } = await import('../backup/store/filesystem.ts');
    return openFilesystemStore(settings.path);
  }
  const { openS3Store } = await import('../backup/store/s3.ts');
  const { credentials } = settings;
  return openS3Store({
    clock,
    bucket: settings.bucket,
    prefix: settings.prefix,
    region: settings.region,
    endpoint: settings.endpoint,
    forcePathStyle: settings.force_path_style,
    checksums: settings.checksums,
    partSize: settings.part_size,
    proxy: settings.proxy,
    ca: settings.ca,
    env,
    storageClass: settings.storage_class,
    serverSideEncryption: settings.server_side_encryption,
    objectLock: settings.object_lock,
    credentials: credentials && {
      accessKeyId: secret(credentials.access_key_id, 'repository.credentials.access_key_id').reveal(),
      secretAccessKey: secret(credentials.secret_access_key, 'repository.credentials.secret_access_key'),
      sessionToken:
        credentials.session_token &&
        secret(credentials.session_token, 'repository.credentials.session_token'),
    },
  });
}
