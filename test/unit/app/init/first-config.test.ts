import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderFirstConfig, yamlText, type FirstConfig } from '../../../../src/app/init/first-config.ts';
import { parseSettings } from '../../../../src/config/load.ts';
import { runs } from '../../../support/house/tier.ts';

const main = {
  name: 'main',
  url: 'redis://127.0.0.1:6379',
  username: 'redis-agent',
  passwordFile: '/etc/redis-agent/secrets/main',
};
const first: FirstConfig = {
  instances: [main],
  repository: '/srv/backups',
  state: '/var/lib/redis-agent',
  secrets: '/etc/redis-agent/secrets',
};

describe('the first configuration', () => {
  test('says what was found, and what it says of the rest are the defaults', async () => {
    const other = {
      ...main,
      name: 'redis-6380',
      url: 'rediss://127.0.0.1:6380',
      tls: { ca: '/etc/ca.pem', cert: undefined, key: undefined },
      service: 'redis-server@6380.service',
    };
    const settings = await parseSettings(
      renderFirstConfig({ ...first, instances: [main, other] }),
      '/etc/c.yaml',
    );
    const { passwordFile: file, ...kept } = other;
    expect(settings.instances).toEqual([
      { name: main.name, url: main.url, username: main.username, password: { file } },
      { ...kept, password: { file }, tls: { ca: '/etc/ca.pem' } },
    ]);
    expect(settings.repository).toMatchObject({ type: 'filesystem', path: '/srv/backups' });
    expect(settings.state.path).toBe('/var/lib/redis-agent');
    const bare = JSON.stringify({
      instances: [{ name: 'a', url: main.url }],
      repository: settings.repository,
    });
    const { backup, verify } = await parseSettings(bare, '/etc/c.yaml');
    expect(settings).toMatchObject({ backup, verify });
  });

  test('every example in its comments can be uncommented', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const text = renderFirstConfig(first)
      .split('\n')
      .filter((line) => !/^ {2}(type|path): /.test(line))
      .map((line) => line.replace(/^( *)# (?=( *(- )?[a-z_0-9]+:( |$)))(?!In S3|after)/i, '$1'))
      .join('\n')
      .replace('age1…', recipient);
    const settings = await parseSettings(text, '/etc/c.yaml');
    expect(settings).toMatchObject({
      instances: [{ role: 'durable' }],
      repository: { type: 's3', prefix: 'redis', encryption: { age_recipients: [recipient] } },
      backup: { retention: { daily: 14, weekly: 8, monthly: 12 } },
      timezone: 'Europe/Berlin',
    });
  });

  test('fits a terminal', () => {
    for (const line of renderFirstConfig(first).split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});

test('any text comes back from YAML as it was, in a block and in braces', () => {
  const tricky = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'null',
      'yes',
      '12',
      '1e3',
      '0x1f',
      '/a b',
      'a: b',
      'a #b',
      'a:',
      '~',
      '-',
      '*',
      '@x',
      '{}',
      'a,b',
    ),
    fc.stringMatching(/^[a-z0-9/:.@#, {}[\]-]{1,12}$/),
  );
  fc.assert(
    fc.property(tricky, (text) => {
      expect(parse(`a: ${yamlText(text)}\nb: { c: ${yamlText(text)} }\n`)).toEqual({
        a: text,
        b: { c: text },
      });
    }),
    { numRuns: runs(200) },
  );
});
