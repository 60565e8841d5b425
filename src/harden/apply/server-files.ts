import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import type { Directive } from '../../formats/conf/server-arguments.ts';
import { actAs, type UserId } from '../../lib/process/act-as.ts';
import { readerAs, type FileReader } from '../../lib/files/file-reader.ts';
import { freeLoopbackPort } from '../../lib/free-port.ts';
import { bootConf, type Booted, type BootOptions } from '../../redis/conf/boot-conf.ts';
import { sha256Of } from './fingerprint.ts';
import { openJournals, type JournalFolder } from './journal.ts';
import { actorBeside, actorFor, lookAtPlace, mayBeRoots, type FilePlace } from './look-at-files.ts';
import { replaceFile, type FileAttributes } from './write-file.ts';

/** Which files: those of one server. */
export interface FilesTarget {
  /** The main one. */
  file: string;
  /** Options of the server's command line. */
  directives: readonly Directive[];
}

/** The files of a server's configuration as they were at one moment. */
export interface SeenFiles {
  /** The main one without symbolic links. */
  real: string;
  reader: FileReader;
  /** What is known of one that is to be replaced. */
  place(this: void, path: string): FilePlace;
}

/** What is tried, and not as whom. */
export type BootTrial = Omit<BootOptions, 'user' | 'tlsPort'> & {
  /** Its TLS files are tried too. */
  tls: boolean;
};

/** The files of one server's configuration: read with the server's rights, written with those of who owns their folder. */
export interface ServerFiles {
  /** `extra`: others that may have to be read. */
  look(extra?: readonly string[]): Promise<SeenFiles>;
  /**
   * Replaces one, without links in its path; see replaceFile. Rejects with an AgentError `refused` where its SHA-256 is not
   * `before` any more: somebody has edited it.
   */
  replace(path: string, bytes: Uint8Array, attributes: FileAttributes, before: string): Promise<void>;
  /** The SHA-256 of its bytes. */
  hash(path: string): Promise<string>;
  /** Notes of changes, beside the main file. */
  journals(): Promise<JournalFolder>;
  /** Starts the server's program with a configuration; see bootConf. */
  boot(trial: BootTrial): Promise<Booted>;
}

/** A configuration is a text; what is larger is none. */
const largestFile = 32 * 1024 * 1024;

/** By this process: where it is root, with the rights of `user`, the server's, or in root's own folder as itself. */
export function localServerFiles({ file }: FilesTarget, user: UserId | undefined): ServerFiles {
  const reader = readerAs(user);
  const actorOf = (path: string): ReturnType<typeof actorFor> =>
    actorBeside(actorFor(file, user), path, user);
  const place = (path: string): FilePlace => {
    const actor = actorOf(path);
    const found = lookAtPlace(path, actor);
    if (!actor.trusted || mayBeRoots(found.real, realFile())) return found;
    const unwritable = `root changes ${file} and what lies beside it, and nothing elsewhere: ${found.real}`;
    return { ...found, unwritable };
  };
  const hash = (path: string): string => {
    const { read } = readerAs(actorOf(path).as);
    return sha256Of(read(path, largestFile));
  };
  const realFile = (): string => actAs(user, () => realpathSync(file));
  return {
    look: () => Promise.resolve({ real: realOr(file, realFile), reader, place }),
    async replace(path, bytes, attributes, before) {
      const { real, unwritable } = place(path);
      // A note of a change lies where others may write.
      if (unwritable !== undefined || real !== path)
        throw new AgentError('refused', unwritable ?? `${path} has become a link`, { reason: 'unwritable' });
      if (hash(path) !== before) throw edited(path);
      replaceFile(path, bytes, attributes, actorOf(path).as);
      await Promise.resolve();
    },
    hash: (path) => Promise.resolve(hash(path)),
    journals: () => Promise.resolve(openJournals(dirname(realFile()), actorFor(file, user).as)),
    boot: async ({ tls, ...trial }) =>
      await bootConf({ ...trial, user, tlsPort: tls ? await freeLoopbackPort() : undefined }),
  };
}

/** One that is gone, or may not be seen, is told where it is read. */
function realOr(file: string, realFile: () => string): string {
  try {
    return realFile();
  } catch {
    return file;
  }
}

function edited(path: string): AgentError {
  return new AgentError('refused', `${path} was changed by somebody else meanwhile`, {
    reason: 'edited',
    hint: 'plan again',
  });
}
