/**
 * Builds dist/, or the folder that is given: main.mjs and its chunks, for an installation without node_modules. What
 * main imports lazily stays in chunks of its own, so that a short command does not pay for the S3 SDK.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bundling } from './bundling.ts';

const root = join(import.meta.dirname, '../..');
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
/** Where to say what went into it. */
const inputsFile = process.argv[3];

/** Kilobytes to print. */
const kB = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

/** What node reads before main does anything: the entry and all that it imports statically. */
function eagerBytes(outputs: Metafile['outputs'], entry: string, seen = new Set<string>()): number {
  const output = outputs[entry];
  if (output === undefined || seen.has(entry)) return 0;
  seen.add(entry);
  const eager = output.imports.filter(({ kind }) => kind === 'import-statement');
  return eager.reduce((sum, { path }) => sum + eagerBytes(outputs, path, seen), output.bytes);
}

try {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
} catch (error) {
  console.error(`build: cannot write ${dist}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts' },
  outdir: dist,
  entryNames: '[name]',
  chunkNames: 'chunks/[name]-[hash]',
  ...bundling,
  metafile: true,
}).catch(() => process.exit(1)); // esbuild has said why
if (inputsFile !== undefined) {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  writeFileSync(resolve(inputsFile), JSON.stringify([...new Set(used)].toSorted()));
}
// `explain` shows them.
cpSync(join(root, 'docs/findings'), join(dist, 'docs/findings'), { recursive: true });

// What `harden` brings servers to.
for (const folder of ['conf/policies', 'conf/units'])
  cpSync(join(root, folder), join(dist, folder), { recursive: true });

const files = Object.entries(metafile.outputs).toSorted(([, a], [, b]) => b.bytes - a.bytes);
for (const [path, { bytes }] of files.slice(0, 8)) console.log(`${kB(bytes).padStart(9)}  ${path}`);
const total = files.reduce((sum, [, { bytes }]) => sum + bytes, 0);
console.log(
  `${kB(total).padStart(9)}  in ${files.length} files, ${kB(eagerBytes(metafile.outputs, relative(root, join(dist, 'main.mjs'))))} read at start`,
);
