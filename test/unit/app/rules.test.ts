import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAdvice, sectionsOf } from '../../../src/app/rule-advice.ts';
import { rules } from '../../../src/app/rules.ts';
import { messageOf } from '../../../src/domain/errors.ts';
import { parseArguments } from '../../../src/cli/parse-arguments.ts';

const root = join(import.meta.dirname, '../../..');

const pages = new Map(
  readdirSync(join(root, 'docs/findings')).map((name) => [
    `docs/findings/${name}`,
    sectionsOf(readFileSync(join(root, 'docs/findings', name), 'utf8')),
  ]),
);

describe('the rules', () => {
  test('have ids of their own, in the form of an id', () => {
    const ids = rules.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^(?:[a-z][a-z0-9]*(?:-[a-z0-9]+)+|[A-Z]{2,5}\d{2})$/.test(id))).toEqual([]);
  });

  test('say in a few words what is wrong, and in whole sentences why it matters', () => {
    expect(rules.filter(({ title }) => title === '' || title.length > 72 || title.endsWith('.'))).toEqual([]);
    expect(rules.filter(({ why }) => !/^[\p{Lu}`].*\.$/u.test(why))).toEqual([]);
  });

  test('hold one another back only by rules that exist', () => {
    const ids = new Set(rules.map(({ id }) => id));
    const unknown = rules.flatMap(({ id, inhibitedBy = [] }) =>
      inhibitedBy.filter((other) => !ids.has(other) || other === id).map((other) => `${id} by ${other}`),
    );
    expect(unknown).toEqual([]);
  });

  test('are all of those that the sources name', () => {
    const ids = new Set(rules.map(({ id }) => id));
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(root, 'src', path), 'utf8'));
    const named = sources.flatMap((text) => [...text.matchAll(/\brule: '([^']+)'/g)].map(([, id]) => id));
    // The live restore's probes name ACL rules.
    expect(named.filter((id) => !id?.startsWith('+') && !ids.has(id ?? ''))).toEqual([]);
  });
});

describe('docs/findings', () => {
  test('has a section for every rule, on the page that it names', () => {
    expect(rules.filter(({ id, page }) => !pages.get(page)?.has(id)).map(({ id }) => id)).toEqual([]);
    expect(rules.filter((rule) => readAdvice(rule) === null)).toEqual([]);
  });

  test('has no section that is no rule', () => {
    const stray = [...pages].flatMap(([page, sections]) =>
      [...sections.keys()].filter((id) => !rules.some((rule) => rule.id === id && rule.page === page)),
    );
    expect(stray).toEqual([]);
  });

  test('says in every section what to type', () => {
    const without = [...pages.values()].flatMap((sections) =>
      [...sections].filter(([, text]) => !/^ {4}\S|`[^`]+`/m.test(text)).map(([id]) => id),
    );
    expect(without).toEqual([]);
  });

  test('names commands that exist', async () => {
    const lines = [...pages.values()].flatMap((sections) =>
      [...sections.values()].flatMap((text) =>
        [...text.matchAll(/^ {4}(?:sudo )?redis-agent (.+)$|`(?:sudo )?redis-agent ([^`]+)`/gm)].map(
          ([, line, inline]) => (line ?? inline ?? '').replace(/\s+#.*$/, ''),
        ),
      ),
    );
    expect(lines.length).toBeGreaterThan(30);
    const wrong: string[] = [];
    for (const line of new Set(lines))
      await parseArguments(line.split(/\s+/), 80).catch((error: unknown) =>
        wrong.push(`${line}: ${messageOf(error)}`),
      );
    expect(wrong).toEqual([]);
  });
});
