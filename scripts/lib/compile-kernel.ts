import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
// As a program: whoever imports it gets its declarations of the global types, which are others than ours.
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');

/** The kernel of src/keyspace/kernel as WebAssembly: the same bytes whenever its source is the same. */
export function compileKernel(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'redis-agent-kernel-'));
  try {
    const out = join(folder, 'out.wasm');
    const options = ['--runtime', 'stub', '--enable', 'simd', '--importMemory', '-O3', '--outFile', out];
    const source = ['kernel/scan.ts', '--baseDir', join(root, 'src/keyspace')];
    execFileSync(process.execPath, [compiler, ...source, ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
