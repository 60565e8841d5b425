import { AgentError, hasReason } from '../../domain/errors.ts';
import type { S3Calls } from './s3-calls.ts';
import { examineS3 } from './s3-examine.ts';
import { readS3 } from './s3-get.ts';
import { lackTexts } from './s3-lacks.ts';
import type { Upload } from './s3-list.ts';
import type { S3StoreOptions } from './s3-options.ts';
import { putS3 } from './s3-put.ts';
import { partPlan } from './send-parts.ts';
import { requireKey, requirePrefix, storeError, type Operation } from './store-error.ts';
import { isKey, type ObjectReader, type Store, type StoredObject } from './store.ts';

export type { S3StoreOptions };

/** Objects in a bucket of AWS S3 or a compatible service. Loads the SDK; the first request is the first operation's. */
export async function openS3Store(options: S3StoreOptions): Promise<Store> {
  const endpoint = describeEndpoint(options.endpoint);
  const { connectS3 } = await import('./s3-calls.ts');
  const s3 = connectS3(options, endpoint);
  const store = `s3 ${[options.bucket, options.prefix].filter(Boolean).join('/')} at ${endpoint}`;

  const onKey = (operation: Operation['operation'], key: string): Operation => {
    const what = { operation, key, store };
    requireKey(what);
    return what;
  };
  const onPrefix = (operation: Operation['operation'], key: string): Operation => {
    const what = { operation, key, store };
    requirePrefix(what);
    return what;
  };

  return {
    description: store,

    async put(key, chunks, { signal, expected }) {
      const plan = partPlan(expected, options.partSize);
      return await putS3(s3, onKey('put', key), chunks, { signal, plan });
    },

    async get(key, { signal }): Promise<ObjectReader> {
      const what = onKey('get', key);
      const head = await s3.head(what, signal);
      if (head === undefined) throw storeError(what, 'missing', 'there is no such object');
      return { bytes: head.bytes, chunks: readS3(s3, what, head, signal) };
    },

    async stat(key, { signal }) {
      const head = await s3.head(onKey('stat', key), signal);
      return head === undefined ? undefined : { key, bytes: head.bytes, modified: head.modified };
    },

    async *list(prefix, { signal }) {
      const objects: StoredObject[] = [];
      for await (const object of s3.list(onPrefix('list', prefix), signal)) {
        // Passed over: whatever else shares the bucket, such as folder markers and names with blanks.
        if (isKey(object.key)) objects.push(object);
      }
      // AWS lists by name, but some services do by their own collation.
      objects.sort((a, b) => (a.key < b.key ? -1 : 1));
      for (const object of objects) {
        signal.throwIfAborted();
        yield object;
      }
    },

    async remove(key, { signal }) {
      await s3.remove(onKey('remove', key), signal);
    },

    async sweep(prefix, { before, signal }) {
      const swept: string[] = [];
      const what = onPrefix('sweep', prefix);
      if (s3.lacks.has('upload-list')) return swept;
      for await (const { key, uploadId, started } of uploadsOf(s3, what, signal)) {
        if (started >= before || !isKey(key)) continue;
        try {
          if (await s3.hasPartSince({ ...what, key }, uploadId, before, signal)) continue;
          await s3.abortUpload({ ...what, key }, uploadId, signal);
          swept.push(`${key} (upload ${uploadId})`);
        } catch (error) {
          // Ended since it was listed.
          if (!hasReason(error, 'missing')) throw error;
        }
      }
      return swept;
    },

    async examine(prefix, { signal }) {
      await examineS3(s3, onPrefix('examine', prefix), signal);
      const open = options.endpoint?.startsWith('http:') === true && !isLoopback(options.endpoint);
      return {
        lacks: [...s3.lacks]
          .filter((lack) => lack !== 'checksums' || options.checksums !== 'off')
          .map((lack) => lackTexts[lack]),
        versioned: await s3.versions.enabled(signal),
        openLine: open,
      };
    },

    removed: {
      async *list(prefix, { signal }) {
        for await (const object of s3.versions.list(onPrefix('list', prefix), signal))
          if (isKey(object.key)) yield object;
      },
      async expire({ key, version }, { signal }) {
        await s3.versions.expire(onKey('remove', key), version, signal);
      },
    },

    /** S3 has no such number. */
    async free() {
      return undefined;
    },

    async close() {
      s3.close();
    },
  };
}

/** What a service that cannot list them leaves to its lifecycle rules. */
async function* uploadsOf(s3: S3Calls, what: Operation, signal: AbortSignal): AsyncGenerator<Upload> {
  try {
    yield* s3.uploads(what, signal);
  } catch (error) {
    if (!hasReason(error, 'unsupported')) throw error;
    s3.lacks.add('upload-list');
  }
}

function isLoopback(endpoint: string): boolean {
  const host = URL.parse(endpoint)?.hostname ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || /^(127\.|\[::1\]$)/.test(host);
}

function describeEndpoint(endpoint: string | undefined): string {
  if (endpoint === undefined) return 'AWS';
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new AgentError(
      'repository',
      `cannot open the S3 repository: ${JSON.stringify(endpoint)} is no URL`,
      {
        reason: 'unavailable',
        hint: 'repository.endpoint has the form https://host or https://host:port',
      },
    );
  return `${url.protocol}//${url.host}`;
}
