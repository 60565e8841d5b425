import type { Consumers } from '../../../harden/rotate/consumers.ts';
import { runHook, whyNotHook } from './hook.ts';
import { whyNotSecretFile, writeSecretFile } from './secret-file.ts';

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
