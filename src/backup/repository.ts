import {
  preRestore,
  type Artefact,
  type BackupKind,
  type Manifest,
  type Verification,
} from '../domain/backup.ts';
import type { Clock } from '../domain/clock.ts';
import { AgentError, hasReason } from '../domain/errors.ts';
import type { DrillRecord } from '../domain/drill.ts';
import type { KeyspaceSummary } from '../domain/keyspace.ts';
import { mapBounded } from '../lib/map-bounded.ts';
import { drillName, parseDrillMark, type DrillMark } from './drill-mark.ts';
import { parseDrill } from './drill-record.ts';
import { backupIdTime, byAge } from './id.ts';
import { gatherObjects } from './gather-objects.ts';
import { parseKeyspace } from './kept-report.ts';
import { formatDocument, parseManifest, parseVerification } from './manifest.ts';
import { acceptedName, isSomebodys, keyspaceName, manifestName, namesOfOurs, ownNames } from './own-names.ts';
import { once, readText } from './small-object.ts';
import type { Store, StoredObject } from './store/store.ts';
import { markName, parseMark, type VerificationMark } from './verification-mark.ts';

/** Manifests that are read at the same time. */
const readers = 8;

/** One backup id of a listing. */
export type BackupEntry =
  | {
      id: string;
      state: 'complete';
      manifest: Manifest;
      objects: StoredObject[];
      /** Oldest first. */
      verifications: VerificationMark[];
      /** Oldest first. */
      drills: DrillMark[];
      accepted: boolean;
    }
  /** No manifest: an interrupted backup, or one that is being taken now. */
  | { id: string; state: 'incomplete'; objects: StoredObject[] }
  /** A manifest that cannot be read, or whose artefacts are missing or of another length. */
  | { id: string; state: 'damaged'; objects: StoredObject[]; problem: string }
  /** Written by a newer redis-agent: left alone. */
  | { id: string; state: 'newer'; objects: StoredObject[]; problem: string };

export interface Listing {
  /** Oldest first, as byAge has it. */
  backups: BackupEntry[];
  /** Keys below the instance's prefix that are none of ours; never touched. */
  foreign: string[];
  /** So many more, whose keys are not kept. */
  foreignMore: number;
}

/** The backups of one instance in a store. The repository is the truth: nothing else is needed to use it. */
export interface Repository {
  readonly instance: string;
  readonly store: Store;
  list(signal: AbortSignal): Promise<Listing>;
  /**
   * The complete backup of that id, or for `latest` the newest, where a kind is given of that; none of what a live restore
   * replaced. Throws an AgentError when
   * there is none such.
   */
  find(id: string, signal: AbortSignal, kind?: BackupKind): Promise<Manifest>;
  /** Is there (still) a backup of that id, of whatever state? */
  exists(id: string, signal: AbortSignal): Promise<boolean>;
  artefactKey(id: string, artefact: Pick<Artefact, 'name'>): string;
  /** Commits a backup: from here on it exists. */
  writeManifest(manifest: Manifest, signal: AbortSignal): Promise<void>;
  /** Keeps the compact key-space report beside a backup, before its manifest. */
  writeKeyspace(id: string, report: KeyspaceSummary, signal: AbortSignal): Promise<void>;
  /** That report; undefined where none is kept. Throws an AgentError where it is not sound. */
  readKeyspace(id: string, signal: AbortSignal): Promise<KeyspaceSummary | undefined>;
  readVerification(id: string, name: string, signal: AbortSignal): Promise<Verification>;
  writeVerification(id: string, verification: Verification, signal: AbortSignal): Promise<void>;
  readDrill(id: string, name: string, signal: AbortSignal): Promise<DrillRecord>;
  writeDrill(record: DrillRecord, signal: AbortSignal): Promise<void>;
  /** Notes that somebody found the size of this backup right (see prune/shrink.ts). */
  accept(id: string, now: number, signal: AbortSignal): Promise<void>;
  /** Removes one backup, its manifest first, so that a cut leaves an incomplete one and never a broken one. */
  remove(entry: BackupEntry, signal: AbortSignal): Promise<void>;
  /** Removes whatever an unfinished backup of this id has left. */
  discard(id: string, signal: AbortSignal): Promise<void>;
  /** Clears temporary files, uploads and empty folders of interrupted runs below the prefix; returns their names. */
  sweep(before: Date, signal: AbortSignal): Promise<string[]>;
}

export function openRepository(store: Store, instance: string, clock: Pick<Clock, 'now'>): Repository {
  const keyOf = (id: string, name: string): string => `${instance}/${id}/${name}`;
  const writeText = async (key: string, text: string, signal: AbortSignal): Promise<void> => {
    await store.put(key, once(Buffer.from(text)), { signal });
  };

  /** undefined when nothing of it is ours. */
  async function classify(
    id: string,
    all: StoredObject[],
    signal: AbortSignal,
  ): Promise<BackupEntry | undefined> {
    const byName = new Map(all.map((object) => [object.key.slice(keyOf(id, '').length), object]));
    // What a listing leaves out may be there all the same: it lags behind, or ends early. So it is asked for by its name.
    const ask = async (name: string): Promise<void> => {
      if (byName.has(name)) return;
      const object = await store.stat(keyOf(id, name), { signal });
      if (object !== undefined) byName.set(name, object);
    };
    const ours = (manifest?: Manifest): StoredObject[] =>
      namesOfOurs([...byName.keys()], manifest).flatMap((name) => byName.get(name) ?? []);
    let objects = ours();
    if (objects.length === 0) return undefined;
    await ask(manifestName);
    if (!byName.has(manifestName)) return { id, state: 'incomplete', objects };
    try {
      const manifest = await readManifest(id, signal);
      for (const { name } of manifest.artefacts) await ask(name);
      objects = ours(manifest);
      const problem = misfit(manifest, byName);
      if (problem !== undefined) return { id, state: 'damaged', objects, problem };
      const sorted = [...byName.keys()].toSorted();
      return {
        id,
        state: 'complete',
        manifest,
        objects,
        verifications: sorted.flatMap((name) => parseMark(name) ?? []),
        drills: sorted.flatMap((name) => parseDrillMark(name) ?? []),
        accepted: byName.has(acceptedName),
      };
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      // A newer agent may know more names.
      if (error.reason === 'newer')
        return { id, state: 'newer', objects: [...byName.values()], problem: error.message };
      // Being removed at this moment.
      if (error.reason === 'missing') return { id, state: 'incomplete', objects };
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
      const { byId, foreign } = await gatherObjects(store, instance, signal);
      const order = byAge(clock.now());
      const ids = [...byId].toSorted(([a], [b]) => order(a, b));
      const entries = await mapBounded(ids, readers, ([id, objects]) => classify(id, objects, signal));
      const newest = entries.findLast((entry) => entry?.state === 'complete')?.id ?? '';
      const backups = entries
        .filter((entry) => entry !== undefined)
        .filter((entry) => {
          const keys = entry.objects.map(({ key }) => key);
          return entry.state !== 'incomplete' || !isSomebodys(entry.id, keys, newest);
        });
      const ours = new Set(backups.flatMap(({ objects }) => objects.map(({ key }) => key)));
      for (const { key } of ids.flatMap(([, objects]) => objects)) if (!ours.has(key)) foreign.add(key);
      return { backups, foreign: foreign.keys.toSorted(), foreignMore: foreign.more };
    },

    async exists(id, signal) {
      return (await store.stat(keyOf(id, manifestName), { signal })) !== undefined;
    },

    async find(id, signal, kind) {
      if (id === 'latest') {
        const { backups } = await this.list(signal);
        const newest = backups
          .flatMap((entry) => (entry.state === 'complete' ? [entry.manifest] : []))
          .filter(({ purpose }) => purpose !== preRestore)
          .findLast((manifest) => kind === undefined || manifest.kind === kind);
        if (newest !== undefined) return newest;
        const what = kind === undefined ? 'backup' : `backup of kind ${kind}`;
        const damaged = backups.filter(({ state }) => state === 'damaged').length;
        const beside = damaged === 0 ? '' : `, and ${damaged} that cannot be used`;
        const see =
          damaged === 0
            ? '; if it had another name before: redis-agent backups list --fleet'
            : '; see: redis-agent backups list';
        throw new AgentError(
          'failed',
          `instance ${instance} has no ${what} in ${store.description}${beside}`,
          {
            reason: 'missing',
            hint: `take one: redis-agent backup${kind === 'aof' ? ' --kind aof' : ''}${see}`,
          },
        );
      }
      if (backupIdTime(id) === undefined)
        throw new AgentError('usage', `${JSON.stringify(id)} is no backup id`, {
          hint: 'see: redis-agent backups list',
        });
      try {
        return await readManifest(id, signal);
      } catch (error) {
        if (error instanceof AgentError && error.code === 'damaged')
          throw error.retold(error.message, 'see which backups can be used: redis-agent backups list');
        if (!hasReason(error, 'missing')) throw error;
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

    async writeKeyspace(id, report, signal) {
      await writeText(keyOf(id, keyspaceName), `${JSON.stringify(report)}\n`, signal);
    },

    async readKeyspace(id, signal) {
      try {
        const text = await readText(store, keyOf(id, keyspaceName), signal);
        return parseKeyspace(text, `${keyspaceName} of backup ${id}`);
      } catch (error) {
        if (hasReason(error, 'missing')) return undefined;
        throw error;
      }
    },

    async readVerification(id, name, signal) {
      return parseVerification(await readText(store, keyOf(id, name), signal), name);
    },

    async writeVerification(id, verification, signal) {
      await writeText(keyOf(id, markName(verification)), formatDocument(verification), signal);
    },

    async readDrill(id, name, signal) {
      return parseDrill(await readText(store, keyOf(id, name), signal), name);
    },

    async writeDrill(record, signal) {
      await writeText(keyOf(record.backup, drillName(record)), formatDocument(record), signal);
    },

    async accept(id, now, signal) {
      const text = `${JSON.stringify({ at: new Date(now).toISOString() })}\n`;
      try {
        await writeText(keyOf(id, acceptedName), text, signal);
      } catch (error) {
        if (!hasReason(error, 'exists')) throw error;
      }
    },

    async discard(id, signal) {
      for (const name of ownNames) await store.remove(keyOf(id, name), { signal });
    },

    async remove(entry, signal) {
      const manifestFirst = entry.objects.toSorted(
        (a, b) => Number(b.key.endsWith(`/${manifestName}`)) - Number(a.key.endsWith(`/${manifestName}`)),
      );
      for (const object of manifestFirst) await store.remove(object.key, { signal });
    },

    sweep: (before, signal) => store.sweep(instance, { before, signal, folders: isBackupFolder }),
  };
}

function isBackupFolder(name: string): boolean {
  return backupIdTime(name.split('/').at(-1) ?? '') !== undefined;
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
