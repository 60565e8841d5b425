import { onTestFinished } from 'vitest';
import type { TestConfig } from '../agent/cli.ts';
import { startFaultServer, type FaultServer } from './fault-server.ts';
import { startFauxqs, type S3TestServer } from './s3-servers.ts';

/** An S3 server, and before it one that makes faults. Both end with the test. */
export async function startFaultyS3(): Promise<{ store: S3TestServer; faults: FaultServer }> {
  const store = await startFauxqs();
  onTestFinished(() => store.stop());
  const faults = await startFaultServer(store.endpoint);
  onTestFinished(() => faults.stop());
  return { store, faults };
}

/** `endpoint`: of the server, or of one before it. */
export function s3Repository(
  config: TestConfig,
  store: S3TestServer,
  endpoint: string,
): { repository: Record<string, unknown> } {
  return {
    repository: {
      type: 's3',
      bucket: store.bucket,
      endpoint,
      credentials: {
        access_key_id: config.secret('s3-id', store.accessKeyId),
        secret_access_key: config.secret('s3-key', store.secretAccessKey),
      },
    },
  };
}
