import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { runs } from '../../support/house/tier.ts';

// A word like a key is shown, since it is one; anything else that stands in the file may be a secret.
const secret = 'hunt$er2';
const words = [
  'instances name url password file env credential repository type s3 filesystem path bucket endpoint backup',
  'schedule jitter retention encryption age_recipients age_identity verify load timezone main 0 -1 1.5 null off',
  'compression zstd none',
  '__proto__ constructor toString << &a *a !x " \' | > % @ ` # ? ~ redis://h rediss: 5m',
  `redis://:${secret}@h ${secret} redis:${secret} *${secret} !${secret} &${secret} {${secret}} "${secret}" "${secret}`,
].flatMap((line) => line.split(' '));

const piece = fc.oneof(
  fc.constantFrom(...words),
  fc.constantFrom(
    ': ',
    '\n',
    '\n  ',
    '\n    ',
    ' ',
    '- ',
    '{ ',
    ' }',
    '[',
    ']',
    ', ',
    '\n- ',
    ':',
    '\t',
    '---\n',
  ),
  fc.string({ maxLength: 4 }),
);
const yamlish = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
const valid =
  'instances: [{ name: main, url: "redis://127.0.0.1" }]\nrepository: { type: filesystem, path: x }\n';
const source = fc.oneof(
  yamlish,
  yamlish.map((text) => valid + text),
  // One value of a good file replaced.
  fc
    .tuple(fc.constantFrom('main', '"redis://127.0.0.1"', 'filesystem', 'x'), yamlish)
    .map(([value, text]) => valid.replace(value, () => text)),
);

async function failureOf(text: string): Promise<string> {
  try {
    await parseSettings(text, '/etc/x.yaml');
    return '';
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'usage') throw error;
    return error.message;
  }
}

it('fails with nothing but a usage error: a line a problem, and no secret in it', async () => {
  let refused = 0;
  const property = fc.asyncProperty(source, async (text) => {
    const message = await failureOf(text);
    if (message !== '') refused += 1;
    expect(message).not.toContain(secret);
    expect(message.split('\n').filter((line) => !/^(\/etc\/x\.yaml:(\d+:\d+:)? .|$)/.test(line))).toEqual([]);
  });
  await fc.assert(property, { numRuns: runs(1000) });
  expect(refused).toBeGreaterThan(runs(1000) / 2);
});
