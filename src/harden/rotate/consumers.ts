import { runHook, whyNotHook, type HookInput } from './hook.ts';
import { whyNotSecretFile, writeSecretFile } from './secret-file.ts';

/** Whoever a new password is handed to: by files, each with the rights of its owner, and by programs. */
export interface Consumers {
  /** Why that file cannot be written; undefined where nothing is against it. */
  whyNotFile(path: string): Promise<string | undefined>;
  writeFile(path: string, password: string): Promise<void>;
  /** Why that program is not run; undefined where nothing is against it. */
  whyNotHook(program: string): Promise<string | undefined>;
  /** See runHook. */
  runHook(program: string, input: HookInput, signal: AbortSignal): Promise<void>;
}

/** By this process. */
export const localConsumers: Consumers = {
  whyNotFile: (path) => Promise.resolve(whyNotSecretFile(path)),
  async writeFile(path, password) {
    writeSecretFile(path, password);
    await Promise.resolve();
  },
  whyNotHook: (program) => Promise.resolve(whyNotHook(program)),
  runHook,
};
