import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** One import of one source file. */
export interface Import {
  /** As written. */
  specifier: string;
  /** The file it names, relative to src/ (`../package.json` for what lies outside); undefined for packages. */
  target: string | undefined;
  /** Erased before the program runs. */
  typeOnly: boolean;
  /** `import()`: not paid for before it is reached. */
  lazy: boolean;
}

export interface SourceFile {
  /** Relative to src/, with slashes. */
  path: string;
  text: string;
  imports: Import[];
}

export type SourceTree = ReadonlyMap<string, SourceFile>;

/** AssemblyScript, which is compiled apart. */
const apart = 'keyspace/kernel/';

/** All TypeScript files below `root`. */
export function readSourceTree(root: string): SourceTree {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.startsWith(apart),
  );
  return sourceTree(Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])));
}

/** A tree from texts by path, as planted by a test. */
export function sourceTree(texts: Record<string, string>): SourceTree {
  const paths = Object.keys(texts).toSorted();
  return new Map(
    paths.map((path) => [
      path,
      { path, text: texts[path] ?? '', imports: parseImports(path, texts[path] ?? '') },
    ]),
  );
}

// The formatter keeps statements at the start of a line and specifiers in single quotes, which is what these rely on.
const importStatement = /^import\s+(?:(?<type>type\s)?[\w$*{},\s]*?\sfrom\s+)?'(?<specifier>[^']+)'/gm;
const exportStatement =
  /^export\s+(?<type>type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'(?<specifier>[^']+)'/gm;
const importCall = /(?<type>\btypeof\s+)?\bimport\(\s*(?:'(?<specifier>[^']+)')?/g;

function parseImports(path: string, text: string): Import[] {
  const code = text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const found: Import[] = [];
  for (const pattern of [importStatement, exportStatement, importCall]) {
    for (const { groups } of code.matchAll(pattern)) {
      const specifier = groups?.['specifier'] ?? '';
      const relative = specifier.startsWith('.');
      found.push({
        specifier,
        target: relative ? posix.normalize(posix.join(posix.dirname(path), specifier)) : undefined,
        typeOnly: groups?.['type'] !== undefined,
        lazy: pattern === importCall,
      });
    }
  }
  return found;
}

/** `start` and every file that it needs to run, following what `follow` accepts. */
export function reach(tree: SourceTree, start: string, follow: (step: Import) => boolean): SourceFile[] {
  const seen = new Map<string, SourceFile>();
  const pending = [start];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const file = tree.get(path);
    if (file === undefined || seen.has(path)) continue;
    seen.set(path, file);
    for (const step of file.imports) if (step.target !== undefined && follow(step)) pending.push(step.target);
  }
  return [...seen.values()];
}
