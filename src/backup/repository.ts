import {
  verificationLevels,
  type Artefact,
  type Manifest,
  type Verification,
  type VerificationLevel,
} from '../domain/backup.ts';
import { AgentError } from '../domain/errors.ts';
import { backupIdTime } from './id.ts';
import { formatDocument, manifestLimit, parseManifest, parseVerification } from './manifest.ts';
import type { Store, StoredObject } from './store/store.ts';

const manifestName = 'manifest.json';
/** Manifests that are read at the same time. */
const readers = 8;

/** A verification as its object's name tells it, so that a listing needs no further reads. */
export interface VerificationMark {
  name: string;
  /** Milliseconds. */
  at: number;
  level: VerificationLevel;
  ok: boolean;
}

/** One backup id of a listing. */
export type BackupEntry =
  | {
      id: string;
      state: 'complete';
      manifest: Manifest;
      objects: StoredObject[];
      /** Oldest first. */
      verifications: VerificationMark[];
      accepted: boolean;
    }
  /** No manifest: an interrupted backup, or one that is being taken now. */
  | { id: string; state: 'incomplete'; objects: StoredObject[] }
  /** A manifest that cannot be read, or whose artefacts are missing or of another length. */
  | { id: string; state: 'damaged'; objects: StoredObject[]; problem: string }
  /** Written by a newer redis-agent: left alone. */
  | { id: string; state: 'newer'; objects: StoredObject[]; problem: string };

export interface Listing {
  /** Oldest first. */
  backups: BackupEntry[];
  /** Keys below the instance's prefix that are none of ours; never touched. */
  foreign: string[];
}

/** The backups of one instance in a store. The repository is the truth: nothing else is needed to use it. */
export interface Repository {
  readonly instance: string;
  readonly store: Store;
  list(signal: AbortSignal): Promise<Listing>;
  /** The complete backup of that id, or the newest for `latest`. Throws an AgentError when there is none such. */
  find(id: string, signal: AbortSignal): Promise<Manifest>;
  artefactKey(id: string, artefact: Pick<Artefact, 'name'>): string;
  /** Commits a backup: from here on it exists. */
  writeManifest(manifest: Manifest, signal: AbortSignal): Promise<void>;
  readVerification(id: string, name: string, signal: AbortSignal): Promise<Verification>;
  writeVerification(id: string, verification: Verification, signal: AbortSignal): Promise<void>;
  /** Notes that somebody found the size of this backup right (see prune/shrink.ts). */
  accept(id: string, now: number, signal: AbortSignal): Promise<void>;
  /** Removes one backup, its manifest first, so that a cut leaves an incomplete one and never a broken one. */
  remove(entry: BackupEntry, signal: AbortSignal): Promise<void>;
  /** Clears temporary files and uploads of interrupted runs below the prefix; returns their names. */
  sweep(before: Date, signal: AbortSignal): Promise<string[]>;
}

export function openRepository(store: Store, instance: string): Repository {
  const keyOf = (id: string, name: string): string => `${instance}/${id}/${name}`;
  const writeText = async (key: string, text: string, signal: AbortSignal): Promise<void> => {
    await store.put(key, once(Buffer.from(text)), { signal });
  };

  async function classify(id: string, objects: StoredObject[], signal: AbortSignal): Promise<BackupEntry> {
    const names = new Map(objects.map((object) => [object.key.slice(keyOf(id, '').length), object]));
    if (!names.has(manifestName)) return { id, state: 'incomplete', objects };
    try {
      const manifest = await readManifest(id, signal);
      const problem = misfit(manifest, names);
      if (problem !== undefined) return { id, state: 'damaged', objects, problem };
      const verifications = [...names.keys()].toSorted().flatMap((name) => parseMark(name) ?? []);
      return {
        id,
        state: 'complete',
        manifest,
        objects,
        verifications,
        accepted: names.has('accepted.json'),
      };
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      if (error.reason === 'newer') return { id, state: 'newer', objects, problem: error.message };
      if (error.code === 'damaged') return { id, state: 'damaged', objects, problem: error.message };
      throw error;
    }
  }

  async function readManifest(id: string, signal: AbortSignal): Promise<Manifest> {
    return parseManifest(await readText(store, keyOf(id, manifestName), signal), { id, instance });
  }

  return {
    instance,
    store,
    artefactKey: (id, artefact) => keyOf(id, artefact.name),

    async list(signal) {
      const byId = new Map<string, StoredObject[]>();
      const foreign: string[] = [];
      for await (const object of store.list(instance, { signal })) {
        const [, id = '', name, ...deeper] = object.key.split('/');
        if (backupIdTime(id) === undefined || name === undefined || deeper.length > 0)
          foreign.push(object.key);
        else byId.set(id, [...(byId.get(id) ?? []), object]);
      }
      const ids = [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const backups = await mapBounded(ids, readers, ([id, objects]) => classify(id, objects, signal));
      return { backups, foreign };
    },

    async find(id, signal) {
      if (id === 'latest') {
        const { backups } = await this.list(signal);
        const newest = backups.findLast((entry) => entry.state === 'complete');
        if (newest === undefined)
          throw new AgentError('failed', `instance ${instance} has no backup in ${store.description}`, {
            reason: 'missing',
            hint: 'take one: redis-agent backup',
          });
        return newest.manifest;
      }
      if (backupIdTime(id) === undefined)
        throw new AgentError('usage', `${JSON.stringify(id)} is no backup id`, {
          hint: 'see: redis-agent backups list',
        });
      try {
        return await readManifest(id, signal);
      } catch (error) {
        if (!(error instanceof AgentError) || error.reason !== 'missing') throw error;
        throw new AgentError('failed', `instance ${instance} has no backup ${id} in ${store.description}`, {
          cause: error,
          reason: 'missing',
          hint: 'see: redis-agent backups list',
        });
      }
    },

    async writeManifest(manifest, signal) {
      await writeText(keyOf(manifest.id, manifestName), formatDocument(manifest), signal);
    },

    async readVerification(id, name, signal) {
      return parseVerification(await readText(store, keyOf(id, name), signal), name);
    },

    async writeVerification(id, verification, signal) {
      await writeText(keyOf(id, markName(verification)), formatDocument(verification), signal);
    },

    async accept(id, now, signal) {
      const text = `${JSON.stringify({ at: new Date(now).toISOString() })}\n`;
      try {
        await writeText(keyOf(id, 'accepted.json'), text, signal);
      } catch (error) {
        if (!(error instanceof AgentError) || error.reason !== 'exists') throw error;
      }
    },

    async remove(entry, signal) {
      const manifestFirst = entry.objects.toSorted(
        (a, b) => Number(b.key.endsWith(`/${manifestName}`)) - Number(a.key.endsWith(`/${manifestName}`)),
      );
      for (const object of manifestFirst) await store.remove(object.key, { signal });
    },

    sweep: (before, signal) => store.sweep(instance, { before, signal }),
  };
}

/** `verify-20261121T060000123Z-loaded-ok.json` */
function markName({ at, level, ok }: Verification): string {
  return `verify-${at.replaceAll(/[-:.]/g, '')}-${level}-${ok ? 'ok' : 'failed'}.json`;
}

const mark = /^verify-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([a-z]+)-(ok|failed)\.json$/;

function parseMark(name: string): VerificationMark | undefined {
  const [, year, month, day, hour, minute, second, millisecond, levelName, verdict] = mark.exec(name) ?? [];
  const level = verificationLevels.find((known) => known === levelName);
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return level === undefined || Number.isNaN(at) ? undefined : { name, at, level, ok: verdict === 'ok' };
}

function misfit(manifest: Manifest, names: Map<string, StoredObject>): string | undefined {
  for (const artefact of manifest.artefacts) {
    const object = names.get(artefact.name);
    if (object === undefined) return `${artefact.name} is missing`;
    if (object.bytes !== artefact.stored.bytes)
      return `${artefact.name} has ${object.bytes} bytes instead of ${artefact.stored.bytes}`;
  }
  return undefined;
}

async function readText(store: Store, key: string, signal: AbortSignal): Promise<string> {
  const reader = await store.get(key, { signal });
  if (reader.bytes > manifestLimit)
    throw new AgentError(
      'damaged',
      `${key} is far too large to be what its name says (${reader.bytes} bytes)`,
    );
  const parts: Buffer[] = [];
  for await (const chunk of reader.chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString('utf8');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function mapBounded<In, Out>(
  items: In[],
  limit: number,
  map: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = Array.from({ length: items.length });
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
