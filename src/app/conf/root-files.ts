import { realpathSync } from 'node:fs';
import type { LoadedSettings } from '../../config/load.ts';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, systemCode } from '../../domain/errors.ts';
import { actorFor, mayBeRoots, type FilePlace } from '../../harden/apply/look-at-files.ts';
import type { Journal } from '../../harden/apply/journal.ts';
import { localServerFiles, type FilesTarget } from '../../harden/apply/server-files.ts';
import type { FileAttributes } from '../../harden/apply/write-file.ts';
import { readerAs } from '../../lib/files/file-reader.ts';
import { findService } from '../../redis/service/find-service.ts';
import { resolveConf } from '../../redis/conf/resolve-conf.ts';
import { chooseInstance } from '../choose-instance.ts';
import { fileVerbs } from './file-verbs.ts';

/**
 * What root does to the configuration of a server where that lies in root's own folder: it replaces what is there, which
 * keeps its owner and mode, and has the notes of changes beside it. `fileOf`: the main file by an instance's unit. No name
 * that it is told leads out of that folder, and it shows nobody what is in a file.
 */
// oxlint-disable-next-line typescript/explicit-function-return-type -- who asks for them takes their types from here
export function rootFileVerbs(fileOf: (instance: string) => Promise<string | undefined>) {
  const targets = new Map<string, FilesTarget | undefined>();
  const targetOf = async (name: string): Promise<FilesTarget | undefined> => {
    if (!targets.has(name)) {
      const file = await fileOf(name);
      targets.set(name, file !== undefined && isRoots(file) ? { file, directives: [] } : undefined);
    }
    return targets.get(name);
  };
  const ours = async (name: string): Promise<FilesTarget> => {
    const target = await targetOf(name);
    if (target !== undefined) return target;
    throw new AgentError('refused', `the configuration of ${name} is not root’s`, { reason: 'unwritable' });
  };
  const checked = async (name: string, path: string): Promise<FilesTarget> => {
    const target = await ours(name);
    if (mayBeRoots(path, realpathSync(target.file)) && realpathSync(path) === path) return target;
    throw new AgentError('refused', `${path} is none of the files of ${name}`, { reason: 'unwritable' });
  };
  const files = fileVerbs();
  return {
    /** Those that are root's to change; none where the folder is somebody else's. */
    async confPlaces(name: string): Promise<FilePlace[]> {
      const target = await targetOf(name);
      if (target === undefined) return [];
      const main = realpathSync(target.file);
      const found = resolveConf(target.file, { reader: readerAs(undefined) }).files.map(({ path }) => path);
      return (await placesOf(target, found)).filter(({ real }) => mayBeRoots(real, main));
    },
    async confReplace(
      name: string,
      path: string,
      _: FileAttributes,
      before: string,
      bytes: Uint8Array,
    ): Promise<void> {
      const target = await checked(name, path);
      const [{ attributes } = { attributes: undefined }] = await placesOf(target, [path]);
      if (attributes === undefined) return;
      await files.confReplace(target, path, { ...attributes, mode: attributes.mode & 0o777 }, before, bytes);
    },
    confHash: async (name: string, path: string) => await files.confHash(await checked(name, path), path),
    journalPath: async (name: string) => await files.journalPath(await ours(name)),
    journalRead: async (name: string) => await files.journalRead(await ours(name)),
    journalWrite: async (name: string, journal: Journal) =>
      await files.journalWrite(await ours(name), journal),
    journalKeep: async (name: string, token: string, which: unknown, bytes: Uint8Array) =>
      await files.journalKeep(await ours(name), token, what(which), bytes),
    journalKept: async (name: string, token: string, which: unknown) =>
      await files.journalKept(await ours(name), token, what(which)),
    journalArchive: async (name: string, journal: Journal) =>
      await files.journalArchive(await ours(name), journal),
    journalClosed: async (name: string) => await files.journalClosed(await ours(name)),
  };
}

/**
 * The main file of an instance, as the configuration and the units have it, and never by what its server says. `unitsOnly`: a
 * start command of the configuration is none that root believes.
 */
export function mainFiles(
  { settings }: LoadedSettings,
  { clock, unitsOnly }: { clock: Clock; unitsOnly: boolean },
): (instance: string) => Promise<string | undefined> {
  const { signal } = new AbortController();
  return async (name) => {
    const instance = chooseInstance(settings, name);
    const service = await findService(instance, undefined, { clock, signal, asOurselves: true });
    const file = service?.arguments?.file;
    const believed = service?.kind === 'unit' || !unitsOnly;
    return believed && file?.startsWith('/') === true ? file : undefined;
  };
}

async function placesOf(target: FilesTarget, paths: readonly string[]): Promise<FilePlace[]> {
  const { place } = await localServerFiles(target, undefined).look();
  return paths.map(place);
}

/** A folder that a root without capabilities may not even enter is none of its own; what is gone is told by who reads it. */
function isRoots(file: string): boolean {
  try {
    return actorFor(file, undefined).trusted;
  } catch (error) {
    if (['EACCES', 'ENOENT'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** It becomes a name. */
function what(which: unknown): number | 'users' {
  return which === 'users' ? which : Number(which);
}
