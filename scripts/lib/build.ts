/**
 * Builds dist/, or the folder that is given: main.mjs and its chunks, for an installation without node_modules. What
 * main imports lazily stays in chunks of its own, so that a short command does not pay for the S3 SDK; what every command
 * with a configuration loads is one chunk, since a file costs a start a millisecond, however small it is.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build, type OutputChunk } from 'rolldown';
import { bundling } from './bundling.ts';

const root = join(import.meta.dirname, '../..');
const dist = resolve(process.argv[2] ?? join(root, 'dist'));
/** Where to say what went into it. */
const inputsFile = process.argv[3];

/** Kilobytes to print. */
const kB = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

const bytesOf = ({ code }: OutputChunk): number => Buffer.byteLength(code);

/** What node reads before main does anything: the entry and all that it imports statically. */
function eagerBytes(chunks: readonly OutputChunk[], name: string, seen = new Set<string>()): number {
  const chunk = chunks.find(({ fileName }) => fileName === name);
  if (chunk === undefined || seen.has(name)) return 0;
  seen.add(name);
  return chunk.imports.reduce((sum, path) => sum + eagerBytes(chunks, path, seen), bytesOf(chunk));
}

/** In ASCII: with one typographic quote in it, a file takes twice the memory of its characters, and longer to read. */
function escaped(code: string): string {
  return code.replaceAll(
    /[\u0080-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A chunk of modules and of all that they import, less what chunks before it have. */
const together = (name: string, priority: number, ...modules: string[]) => ({
  name,
  priority,
  test: (id: string): boolean => modules.some((module) => id === join(root, 'src', module)),
});

try {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
} catch (error) {
  console.error(`build: cannot write ${dist}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
const { output } = await build({
  cwd: root,
  input: { main: 'src/main.ts' },
  platform: 'node',
  resolve: { alias: bundling.alias, mainFields: bundling.mainFields },
  transform: { target: bundling.target },
  // Some are imported lazily by one and not by another.
  checks: { ineffectiveDynamicImport: false },
  write: false,
  output: {
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name]-[hash].mjs',
    // Names stay, so that a stack trace can be read.
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
    comments: false,
    codeSplitting: {
      groups: [
        // Main waits at its top level for all that it does, and so cannot be in a chunk that others import.
        {
          priority: 3,
          debugName: 'start',
          name: (id, graph) =>
            graph.getModuleInfo(id)?.importers.includes(join(root, 'src/main.ts')) === true ? 'start' : null,
        },
        // A server's user runs it, beside a daemon that has the rest.
        together('hands', 2, 'app/hands/work.ts'),
        together(
          'usual',
          1,
          'cli/run.ts',
          'app/logger.ts',
          'app/rules.ts',
          'config/document.ts',
          'config/schema.ts',
          'config/problems.ts',
          'config/alerts/name-problems.ts',
          'backup/repository.ts',
          'backup/store/filesystem.ts',
        ),
      ],
    },
  },
}).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
const chunks = output.filter((file) => file.type === 'chunk');
mkdirSync(join(dist, 'chunks'));
for (const { fileName, code } of chunks) writeFileSync(join(dist, fileName), escaped(code));
if (inputsFile !== undefined) {
  const used = chunks.flatMap(({ modules }) =>
    Object.entries(modules).flatMap(([path, { renderedLength }]) =>
      // What the bundler has of its own bears no path.
      renderedLength > 0 && path.startsWith('/') ? [relative(root, path)] : [],
    ),
  );
  writeFileSync(resolve(inputsFile), JSON.stringify([...new Set(used)].toSorted()));
}
// `explain` shows them.
cpSync(join(root, 'docs/findings'), join(dist, 'docs/findings'), { recursive: true });

// What `harden` brings servers to.
for (const folder of ['conf/policies', 'conf/units'])
  cpSync(join(root, folder), join(dist, folder), { recursive: true });

const sorted = chunks.toSorted((a, b) => bytesOf(b) - bytesOf(a));
for (const chunk of sorted.slice(0, 8)) console.log(`${kB(bytesOf(chunk)).padStart(9)}  ${chunk.fileName}`);
const total = chunks.reduce((sum, chunk) => sum + bytesOf(chunk), 0);
console.log(
  `${kB(total).padStart(9)}  in ${chunks.length} files, ${kB(eagerBytes(chunks, 'main.mjs'))} read at start`,
);
