import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../src/cli/parse-arguments.ts';
import { messageOf } from '../../src/domain/errors.ts';

const root = join(import.meta.dirname, '../..');

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** As the forges make them of headings. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? '')));
}

/** Outside of blocks, where brackets are other things. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/^ {4}.*$/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

describe('links', () => {
  test.each(pages)('$path leads to files and headings that are there', ({ path, text }) => {
    const broken = linksOf(text)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const to = file === '' ? path : relative(root, join(root, dirname(path), file));
        if (!existsSync(join(root, to))) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(join(root, to), 'utf8')).has(anchor);
      });
    expect(broken).toEqual([]);
  });

  test('every page is reached from the README; of findings by `explain`', () => {
    const reached = new Set(['README.md']);
    for (const path of reached)
      for (const target of linksOf(pages.find((page) => page.path === path)?.text ?? '')) {
        const file = relative(root, join(root, dirname(path), target.split('#')[0] ?? ''));
        if (file.endsWith('.md') && !/^https?:/.test(target)) reached.add(file);
      }
    const missed = pages.map(({ path }) => path).filter((path) => !reached.has(path));
    expect(missed.filter((path) => !path.startsWith('docs/findings/'))).toEqual([]);
  });
});

/** What a line of a block has the agent do: up to a pipe, a comment or the next command. */
function commandsOf(text: string): string[] {
  const lines = [...text.matchAll(/^ {4}(?:\$ )?(?:sudo )?(?:-u \S+ )?redis-agent +(.*)$/gm)];
  return lines
    .map(([, line]) => (line ?? '').replace(/\s+(?:#|\||&&|;|>|<|2>).*$/, '').trim())
    .filter((line) => !/[…]|\.\.\.|\$\(/.test(line));
}

/** Words as a shell makes them of what these pages have: quotes, and nothing else. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"']+)+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double: string, single: string) => double ?? single),
  );
}

test.each(pages.filter(({ text }) => commandsOf(text).length > 0))(
  '$path names commands and options that exist',
  async ({ text }) => {
    const wrong: string[] = [];
    for (const line of new Set(commandsOf(text)))
      await parseArguments(words(line), 80).catch((error: unknown) =>
        wrong.push(`${line}: ${messageOf(error)}`),
      );
    expect(wrong).toEqual([]);
  },
);
