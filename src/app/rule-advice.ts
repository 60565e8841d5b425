import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Rule } from '../domain/rule.ts';

/**
 * What the rule's page says under its heading, as Markdown; null where the pages do not lie beside the program.
 * From a checkout they are in docs/, of a build in docs/ beside main.mjs.
 */
export function readAdvice({ id, page }: Rule): string | null {
  const path = foldersAbove(import.meta.dirname)
    .map((folder) => join(folder, page))
    .find((candidate) => existsSync(candidate));
  return path === undefined ? null : (sectionsOf(readFileSync(path, 'utf8')).get(id) ?? null);
}

/** The parts of a page by their second-level headings, trimmed. */
export function sectionsOf(markdown: string): Map<string, string> {
  const [, ...parts] = markdown.split(/^## /m);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      return [heading.trim(), lines.join('\n').trim()];
    }),
  );
}

/** The folder itself and as many above it as a chunk or a source file may lie deep. */
function foldersAbove(folder: string): string[] {
  return [folder, dirname(folder), dirname(dirname(folder))];
}
