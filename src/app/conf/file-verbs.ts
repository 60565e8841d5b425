import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Journal } from '../../harden/apply/journal.ts';
import { localServerFiles, type FilesTarget, type ServerFiles } from '../../harden/apply/server-files.ts';
import type { FileAttributes } from '../../harden/apply/write-file.ts';
import { systemClock } from '../../lib/time/system-clock.ts';
import type { BootOptions } from '../../redis/conf/boot-conf.ts';
import { recordFiles } from './record-files.ts';

/** What is sent of a trial: the rest is for who tries. */
export type TrialWords = Pick<BootOptions, 'program' | 'entries' | 'aclfile'> & { tls: boolean };

/** Changes of one server's configuration files, as they are asked for from another process. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- who asks for them takes their types from here
export function fileVerbs() {
  return {
    /** A record; see replayFiles. */
    confLook: async (target: FilesTarget, extra: string[]): Promise<Uint8Array> =>
      recordFiles(target, extra, await filesOf(target).look(extra)),
    confReplace: async (
      target: FilesTarget,
      path: string,
      attributes: FileAttributes,
      before: string,
      bytes: Uint8Array,
    ) => await filesOf(target).replace(path, bytes, attributes, before),
    confHash: async (target: FilesTarget, path: string) => await filesOf(target).hash(path),
    journalPath: async (target: FilesTarget) => (await filesOf(target).journals()).path,
    journalRead: async (target: FilesTarget) => (await (await filesOf(target).journals()).read()) ?? null,
    journalWrite: async (target: FilesTarget, journal: Journal) =>
      await (await filesOf(target).journals()).write(journal),
    journalKeep: async (target: FilesTarget, token: string, what: number | 'users', bytes: Uint8Array) =>
      await (await filesOf(target).journals()).keep(token, what, bytes),
    journalKept: async (target: FilesTarget, token: string, what: number | 'users') =>
      await (await filesOf(target).journals()).kept(token, what),
    journalArchive: async (target: FilesTarget, journal: Journal) =>
      await (await filesOf(target).journals()).archive(journal),
    journalClosed: async (target: FilesTarget) => await (await filesOf(target).journals()).closed(),
  };
}

/** With the rights of whoever this is. */
function filesOf(target: FilesTarget): ServerFiles {
  return localServerFiles(target, undefined);
}

/** Starts the server's program as whoever this is, in a folder of its own. */
export async function bootHere({
  tls,
  ...trial
}: TrialWords): Promise<{ config: [string, string][]; users: string[] }> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-agent-'));
  try {
    const files = localServerFiles({ file: '/', directives: [] }, undefined);
    const signal = AbortSignal.timeout(longestTrial);
    const { config, users } = await files.boot({ ...trial, tls, directory, clock: systemClock, signal });
    return { config: [...config], users };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Milliseconds; an empty server starts within one or two seconds. */
const longestTrial = 60_000;
