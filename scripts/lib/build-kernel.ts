/** Writes src/keyspace/scan-kernel.ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileKernel } from './compile-kernel.ts';

const bytes = compileKernel();
writeFileSync(
  join(import.meta.dirname, '../../src/keyspace/scan-kernel.ts'),
  `/** kernel/scan.ts as WebAssembly, in Base64. Made by scripts/build-kernel. */\n` +
    `export const scanKernel =\n  '${bytes.toString('base64')}';\n`,
);
console.log(`scan-kernel.ts: ${bytes.length} bytes of WebAssembly`);
