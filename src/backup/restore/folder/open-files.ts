import { closeSync, constants, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { openForeignSync } from '../../../lib/files/foreign-file.ts';
import type { FileOwnership } from '../file-ownership.ts';

/** Files that are being written or read, by number: over a pipe there is nothing else to name them by. */
export class OpenFiles {
  readonly #dir: string;
  readonly #ownership: FileOwnership;
  readonly #files = new Map<number, FileHandle>();
  /** Never the number of a file of another process, which may have been killed with its own. */
  #last = process.pid * 2 ** 20;

  constructor(dir: string, ownership: FileOwnership) {
    this.#dir = dir;
    this.#ownership = ownership;
  }

  /** A new file, open for writing; only its owner may read it until it is finished. */
  async create(path: string): Promise<number> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    return await this.#keep(openSync(join(this.#dir, path), flags, 0o600), 'w');
  }

  /** For reading; no link is followed. */
  async open(path: string): Promise<number> {
    return await this.#keep(openForeignSync(join(this.#dir, path)), 'r');
  }

  /** A server's dump, which is where the server has it. */
  async openDump(path: string): Promise<{ file: number; size: number }> {
    const file = await this.#keep(openForeignSync(path), 'r');
    return { file, size: (await this.#at(file).stat()).size };
  }

  async write(file: number, bytes: Uint8Array): Promise<void> {
    await this.#at(file).writeFile(bytes);
  }

  /** At most `length` bytes from `at` on; none at its end. A chunk is valid until the next one of that file is read. */
  async read(file: number, at: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(Math.min(length, longestRead));
    const { bytesRead } = await this.#at(file).read(buffer, 0, buffer.length, at);
    return buffer.subarray(0, bytesRead);
  }

  /** Owner and mode as they are to be; `durable`: on the disk when it resolves. */
  async finish(file: number, durable: boolean): Promise<void> {
    const handle = this.#at(file);
    const { file: wanted, owner } = this.#ownership;
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) await handle.chown(wanted.uid, wanted.gid);
    // A group that the user is not in is nobody's to give.
    else if (wanted.gid !== owner.gid) await handle.chown(same, wanted.gid).catch(() => undefined);
    await handle.chmod(wanted.mode);
    if (durable) await handle.sync();
  }

  /** Of one that is closed already, or was another process's, nothing. */
  async close(file: number): Promise<void> {
    const handle = this.#files.get(file);
    this.#files.delete(file);
    await handle?.close();
  }

  /** Makes a finished file durable. */
  async sync(path: string): Promise<void> {
    const file = await this.open(path);
    try {
      await this.#at(file).sync();
    } finally {
      await this.close(file);
    }
  }

  /** Whole, into a new file. */
  async copy(from: string, to: string): Promise<void> {
    rmSync(join(this.#dir, to), { force: true });
    const [source, target] = [await this.open(from), await this.create(to)];
    try {
      await this.#at(target).writeFile(this.#at(source).createReadStream({ autoClose: false }));
      await this.finish(target, true);
    } finally {
      await Promise.all([this.close(source), this.close(target)]);
    }
  }

  /** The same file by its descriptor, whatever has become of its name. */
  async #keep(descriptor: number, flags: 'r' | 'w'): Promise<number> {
    try {
      const file = ++this.#last;
      this.#files.set(file, await open(`/proc/self/fd/${descriptor}`, flags));
      return file;
    } finally {
      closeSync(descriptor);
    }
  }

  #at(file: number): FileHandle {
    const handle = this.#files.get(file);
    if (handle === undefined) throw new Error(`no file ${file} is open`);
    return handle;
  }
}

/** For chown: leave it as it is. */
const same = -1 >>> 0;

/** Bytes that are read at once. */
export const longestRead = 1024 * 1024;

/** Throws what the system says where we may not make files and hard links there. */
export function probe(dir: string): void {
  const path = join(dir, `.redis-agent-probe-${process.pid}`);
  writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  try {
    linkSync(path, `${path}.link`);
  } finally {
    rmSync(`${path}.link`, { force: true });
    rmSync(path, { force: true });
  }
}
