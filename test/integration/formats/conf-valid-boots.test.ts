import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkConf } from '../../../src/formats/conf/check-conf.ts';
import { parseConfDocument, printConf } from '../../../src/formats/conf/document.ts';
import type { EngineVersion } from '../../../src/formats/conf/engine.ts';
import { mendConf } from '../../../src/formats/conf/mend-conf.ts';
import { collectedFragments, confFragments } from '../../support/servers/conf-fragments.ts';
import { firstRefusal, refusesDirective } from '../../support/servers/first-refusal.ts';
import { serverBuilds } from '../../support/servers/server-builds.ts';

const wanted = process.env['REDIS_AGENT_TEST_ALL'] === '1' ? 400 : 50;
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each(serverBuilds())('$name', (build) => {
  const engine: EngineVersion = { engine: build.engine, version: build.version, docker: false };
  const fatal = (text: string): boolean =>
    checkConf(parseConfDocument(text), { engine, hash }).some(({ weight }) => weight === 'fatal');
  const fragments = [
    ...collectedFragments,
    ...fc.sample(confFragments(engine), { numRuns: wanted, seed: 20_261_129 }),
  ];

  test('the server takes every line that we call valid', async () => {
    const valid = fragments.filter((line) => !fatal(line));
    expect(valid.length).toBeGreaterThan(wanted / 5);
    const { line, why } = await firstRefusal(build, valid);
    expect(line <= valid.length ? `${why}: ${valid[line - 1]}` : 'all taken').toBe('all taken');
  });

  test('and refuses every line that we call wrong', { timeout: 600_000 }, async () => {
    // What bind is told shows when the server listens.
    const wrong = [...new Set(fragments.filter(fatal))].filter((line) => !/^\s*bind /.test(line));
    expect(wrong.length).toBeGreaterThan(10);
    const some = wanted > 100 ? wrong : wrong.slice(0, 25);
    const taken: string[] = [];
    for (const line of some)
      if ((await firstRefusal(build, [line])).line !== 1 && !(await refusesDirective(build, line)))
        taken.push(line);
    expect(taken).toEqual([]);
  });

  test('and takes the mended file whole', async () => {
    const document = parseConfDocument(fragments.join('\n'));
    const mended = Buffer.from(printConf(mendConf(document, { engine, hash })))
      .toString()
      .split('\n');
    const { line, why } = await firstRefusal(build, mended);
    expect(line <= mended.length ? `${why}: ${mended[line - 1]}` : 'all taken').toBe('all taken');
  });
});
