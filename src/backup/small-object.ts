import { AgentError } from '../domain/errors.ts';
import { manifestLimit } from './manifest.ts';
import type { Store } from './store/store.ts';

/** A document of ours, which is never large. */
export async function readText(store: Store, key: string, signal: AbortSignal): Promise<string> {
  return (await readBytes(store, key, signal, manifestLimit)).toString('utf8');
}

/** Any small object. */
export async function readBytes(
  store: Store,
  key: string,
  signal: AbortSignal,
  limit = 16 * manifestLimit,
): Promise<Buffer> {
  const reader = await store.get(key, { signal });
  if (reader.bytes > limit)
    throw new AgentError(
      'damaged',
      `${key} is far too large to be what its name says (${reader.bytes} bytes)`,
    );
  const parts: Buffer[] = [];
  for await (const chunk of reader.chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
