import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import type { S3Connection } from './s3-connection.ts';
import { storeError, type Operation } from './store-error.ts';
import type { RemovedObject } from './store.ts';

/** What a bucket with versions keeps of objects that were removed. */
export function versionCalls(s3: S3Connection) {
  const { client, options } = s3;

  return {
    /** undefined where the service does not tell. */
    async enabled(signal: AbortSignal): Promise<boolean | undefined> {
      try {
        const command = new GetBucketVersioningCommand({ Bucket: options.bucket });
        const { Status } = await client.send(command, { abortSignal: signal });
        return Status === 'Enabled' || Status === 'Suspended';
      } catch {
        signal.throwIfAborted();
        // A service without versions, or credentials that may not ask: nothing hangs on it.
        return undefined;
      }
    },

    /**
     * All versions and marks of keys below the prefix whose last one is a mark: they were removed. Older versions of what
     * is there are left alone, since only somebody else can have put one over ours.
     */
    async *list(what: Operation, signal: AbortSignal): AsyncGenerator<RemovedObject> {
      const Prefix = what.key === '' ? s3.base : `${s3.base}${what.key}/`;
      const byKey = new Map<string, { removed: boolean; versions: RemovedObject[] }>();
      let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
      for (const seen = new Set<string>(); ;) {
        const command = new ListObjectVersionsCommand({ Bucket: options.bucket, Prefix, ...marker });
        const page: ListObjectVersionsCommandOutput = await s3.call(
          what,
          's3:ListBucketVersions',
          signal,
          (send) => client.send(command, send),
        );
        const marks = page.DeleteMarkers ?? [];
        for (const { Key = '', VersionId = 'null', Size } of [
          ...(page.Versions ?? []),
          ...marks.map((mark) => ({ ...mark, Size: 0 })),
        ]) {
          if (!Key.startsWith(s3.base)) continue;
          const of = byKey.get(Key) ?? { removed: false, versions: [] };
          of.versions.push({ key: Key.slice(s3.base.length), version: VersionId, bytes: Size ?? 0 });
          byKey.set(Key, of);
        }
        for (const { Key = '', IsLatest } of marks) {
          const of = byKey.get(Key);
          if (of !== undefined && IsLatest === true) of.removed = true;
        }
        if (page.IsTruncated !== true) break;
        const next = JSON.stringify([page.NextKeyMarker, page.NextVersionIdMarker]);
        if (page.NextKeyMarker === undefined || seen.has(next))
          throw storeError(
            what,
            'unavailable',
            'the listing of versions does not go on: it cannot be trusted',
          );
        seen.add(next);
        marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      }
      // The marks last: while there is one, the object stays removed.
      for (const { removed, versions } of byKey.values())
        if (removed) yield* versions.toSorted((a, b) => b.bytes - a.bytes);
    },

    async expire(what: Operation, version: string, signal: AbortSignal): Promise<void> {
      const command = new DeleteObjectCommand({ ...s3.at(what), VersionId: version });
      await s3.call(what, 's3:DeleteObjectVersion', signal, (send) => client.send(command, send));
    },
  };
}
