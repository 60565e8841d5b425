import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { exampleConfig } from '../../../src/config/example.ts';
import { settingsJsonSchema } from '../../../src/config/json-schema.ts';
import { sections } from '../../../src/config/sections/index.ts';

// After a change in a section: vitest run test/unit/config/example.test.ts -u
it('is what conf/config.example.yaml holds', async () => {
  await expect(exampleConfig()).toMatchFileSnapshot('../../../conf/config.example.yaml');
});

it.each(Object.entries(sections))('gives the section %s alone', (name, { example }) => {
  expect(exampleConfig(name)).toBe(example);
  // One whose every line is a comment sets nothing.
  const data: unknown = parse(example) ?? { [name]: example.includes(`\n# ${name}:`) };
  expect(data).toEqual({ [name]: expect.anything() });
});

it('knows which section was meant', () => {
  expect(() => exampleConfig('bakcup')).toThrow('there is no section "bakcup"');
});

it('shows comments at a width that fits', () => {
  expect(
    exampleConfig()
      .split('\n')
      .filter((line) => line.length > 120),
  ).toEqual([]);
});

interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  additionalProperties?: unknown;
}

/** Keys of the data that no branch of the schema has. */
function unknownKeys(schema: JsonSchema, data: unknown, path: string): string[] {
  const branches = schema.oneOf ?? schema.anyOf;
  if (branches !== undefined)
    return (
      branches.map((branch) => unknownKeys(branch, data, path)).toSorted((a, b) => a.length - b.length)[0] ??
      []
    );
  if (Array.isArray(data))
    return data.flatMap((item, index) => unknownKeys(schema.items ?? {}, item, `${path}[${index}]`));
  if (typeof data !== 'object' || data === null || schema.properties === undefined) return [];
  return Object.entries(data).flatMap(([key, value]) => {
    const below = schema.properties?.[key];
    return below === undefined ? [`${path}.${key}`] : unknownKeys(below, value, `${path}.${key}`);
  });
}

it('is known to the JSON Schema, to its last key', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its form is the standard's
  const schema = settingsJsonSchema() as JsonSchema;
  expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(sections));
  expect(unknownKeys(schema, parse(readFileSync('conf/config.example.yaml', 'utf8')), '')).toEqual([]);
  expect(unknownKeys(schema, { backup: { retention: { dayz: 1 } } }, '')).toEqual(['.backup.retention.dayz']);
  expect(schema.properties?.['instances']?.items?.properties?.['password']).toMatchObject({
    properties: { file: { type: 'string' } },
    maxProperties: 1,
  });
});
