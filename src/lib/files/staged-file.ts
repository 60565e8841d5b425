import { open } from 'node:fs/promises';

/** A new file that is written from its start to its end. */
export interface StagedFile extends AsyncDisposable {
  /** Appends; the bytes are the caller's again when it resolves, with how many bytes are in the file by then. */
  write(bytes: Uint8Array): Promise<number>;
  /** All is written: as it is to be from now on. `durable`: on the disk when it resolves. */
  finish(durable: boolean): Promise<void>;
}

/** In a folder of ours: only we may read it. `lasting` false: what nobody needs after a crash is never forced to the disk. */
export async function createOwnFile(path: string, lasting: boolean): Promise<StagedFile> {
  const file = await open(path, 'wx', 0o600);
  let there = 0;
  return {
    async write(bytes) {
      await file.writeFile(bytes);
      return (there += bytes.length);
    },
    async finish(durable) {
      if (durable && lasting) await file.datasync();
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}
