// What hosting providers leave of a server: commands taken away, rights withheld, TLS only. Against real servers that are so.
import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startWatch } from '../../../src/app/daemon/watch.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { thresholdsOf } from '../../../src/domain/settings/monitor.ts';
import { judgeSample, type Judgement } from '../../../src/monitor/evaluate/judge-sample.ts';
import { createPoller } from '../../../src/monitor/poll.ts';
import { connectRedis, type RedisTarget } from '../../../src/redis/connection/connect.ts';
import { openFindings } from '../../../src/state/episodes.ts';
import { runAgent, writeConfig } from '../../support/agent/cli.ts';
import { openApp } from '../../support/agent/open-app.ts';
import { movingClock } from '../../support/clocks/moving-clock.ts';
import { startServer, type TestServer } from '../../support/servers/redis-server.ts';

const password = 'the-password-of-a-provider';
const { signal } = new AbortController();

/** As BullMQ writes it: three jobs that wait for ten minutes, and nobody works. */
async function fill(server: TestServer): Promise<void> {
  await server.call('HSET', 'bull:mail:meta', 'version', 'bullmq:5.1.0');
  await server.call('SET', 'bull:mail:id', 3);
  for (const id of [1, 2, 3])
    await server.call('HSET', `bull:mail:${id}`, 'name', 'send', 'timestamp', Date.now() - 600_000);
  await server.call('LPUSH', 'bull:mail:wait', 1, 2, 3);
  await server.call('SET', 'sess:1', 'x');
  await server.call('SET', 'sess:2', 'x');
}

interface Provider {
  name: string;
  server(): Promise<TestServer>;
  /** How the agent gets in. */
  access(server: TestServer): Partial<RedisTarget> & { settings: object };
  /** Collectors that get no answer. */
  blind: string[];
  /** Rules that cannot be judged. */
  unknown: string[];
  /** Of queues and patterns. */
  found: string[];
  /** In `queues`. */
  says: RegExp[];
  reason: 'unknown-command' | 'noperm';
}

const sound = { maxmemory: '500mb' };
const plain = (server: TestServer): { url: string; settings: object } => ({ url: server.url, settings: {} });
const taken = (...commands: string[]): string[] => commands.map((command) => `${command} ""`);

const providers: readonly Provider[] = [
  {
    name: 'no CONFIG',
    server: () => startServer({ config: { ...sound, 'rename-command': taken('CONFIG', 'BGSAVE', 'DEBUG') } }),
    access: plain,
    blind: ['settings'],
    unknown: [],
    found: [
      'keys-never-expire sessions',
      'queue-age bull:mail',
      'queue-stuck bull:mail',
      'queue-unattended bull:mail',
    ],
    says: [/bull:mail +3 .* 0 {2}no worker/],
    reason: 'unknown-command',
  },
  {
    name: 'no CLIENT',
    server: () => startServer({ config: { ...sound, 'rename-command': taken('CLIENT', 'CONFIG') } }),
    access: plain,
    blind: ['clients', 'settings', 'workers'],
    unknown: ['queue-unattended'],
    found: ['keys-never-expire sessions', 'queue-age bull:mail', 'queue-stuck bull:mail'],
    says: [/bull:mail +3 .* \?/, /who works on them is unknown: .*CLIENT LIST/],
    reason: 'unknown-command',
  },
  {
    name: 'data commands alone',
    server: () =>
      startServer({
        config: {
          ...sound,
          'rename-command': taken(
            'CONFIG',
            'CLIENT',
            'ACL',
            'SLOWLOG',
            'LATENCY',
            'BGSAVE',
            'MODULE',
            'DEBUG',
            'SCAN',
            'MEMORY',
            'TIME',
          ),
        },
      }),
    access: plain,
    blind: [
      'acl-log',
      'clients',
      'latency',
      'patterns',
      'queue-search',
      'settings',
      'slowlog',
      'time',
      'workers',
    ],
    unknown: ['ACL17', 'clock-skew', 'keys-never-expire', 'queue-unattended'],
    found: ['queue-age bull:mail', 'queue-stuck bull:mail'],
    says: [
      /bull:mail +3 .* \?/,
      /queues cannot be looked for here, .*: .*SCAN/,
      /who works on them is unknown/,
    ],
    reason: 'unknown-command',
  },
  {
    name: 'TLS alone, and a user without the dangerous commands',
    server: () =>
      startServer({
        tls: true,
        config: { ...sound, user: [`hosted on >${password} ~* &* +@all -@admin -@dangerous +info`] },
      }),
    access: (server) => ({
      url: server.tls?.url ?? '',
      username: 'hosted',
      password: new Secret(password),
      tls: { ca: server.tls?.ca },
      settings: { username: 'hosted', tls: { ca: server.tls?.ca } },
    }),
    blind: ['acl-log', 'clients', 'latency', 'settings', 'slowlog', 'workers'],
    unknown: ['ACL17', 'queue-unattended'],
    found: ['keys-never-expire sessions', 'queue-age bull:mail', 'queue-stuck bull:mail'],
    says: [/bull:mail +3 .* \?/, /who works on them is unknown: .*may not run CLIENT LIST/],
    reason: 'noperm',
  },
];
const monitor = {
  interval: '1s',
  queues: [{ name: 'mail' }],
  patterns: { sessions: { match: 'sess:*', ttl: '24h' } },
};

describe.for(providers)('$name', (provider) => {
  test('rules that cannot be judged are unknown, and the rest goes on', async () => {
    const server = await provider.server();
    await fill(server);
    const { settings: _, ...access } = provider.access(server);
    const clock = movingClock();
    const poller = createPoller({
      connect: (own) => connectRedis({ name: 'main', url: server.url, ...access }, { signal: own }),
      clock,
      frugal: false,
      queues: {
        instance: 'main',
        settings: () => ({
          queues: monitor.queues,
          find_queues: 1000,
          patterns: { sessions: { match: 'sess:*', ttl: 86_400_000 } },
        }),
        found: [],
        onFound: () => {},
      },
    });
    onTestFinished(() => poller.close());
    const samples = [];
    let judgement: Judgement | undefined;
    for (let turn = 0; turn < 4; turn++) {
      samples.push(await poller.poll(signal));
      judgement = judgeSample({
        instance: 'main',
        role: undefined,
        thresholds: thresholdsOf({ role: undefined }),
        slowCommand: 1000,
        samples,
        was: () => undefined,
      });
      clock.forward(61_000);
    }
    const last = samples.at(-1);
    expect(last?.up).toBe('up');
    const blind = last?.blind ?? [];
    expect(blind.map(({ collector }) => collector).toSorted()).toEqual(provider.blind);
    expect(new Set(blind.map(({ reason }) => reason))).toEqual(new Set([provider.reason]));
    expect(judgement?.unknown).toEqual(expect.arrayContaining(provider.unknown));
    const own = judgement?.findings.filter(({ rule }) => /^(?:queue|keys)-/.test(rule)) ?? [];
    expect(own.map(({ rule, resource }) => `${rule} ${resource}`).toSorted()).toEqual(provider.found);
  });

  test('commands say once what works and what does not', async () => {
    const server = await provider.server();
    await fill(server);
    const { settings, url } = provider.access(server);
    const config = writeConfig({
      instances: [{ name: 'main', url: url ?? server.url }],
      settings: { monitor },
    });
    if ('username' in settings)
      config.rewrite({
        instances: [{ name: 'main', url, ...settings, password: config.secret('main', password) }],
        settings: { monitor },
      });
    const queues = await runAgent(['queues'], { config });
    expect(queues.code).toBe(0);
    const text = queues.stdout.replaceAll(/\n(?=\S)/g, ' ');
    for (const words of provider.says) expect(text).toMatch(words);
    expect((await runAgent(['queues', 'show', 'mail'], { config })).code).toBe(0);

    const app = await openApp(config);
    onTestFinished(() => app.close());
    const watch = startWatch(app);
    const seen = (): string[] =>
      openFindings(app.state(), 'main').flatMap(({ rule, resource }) =>
        rule === 'watch-blind' ? [resource] : [],
      );
    // Histograms are asked for where commands have cost something.
    const soon = provider.blind.filter((collector) => collector !== 'latency');
    await expect.poll(seen).toEqual(expect.arrayContaining(soon));
    await watch.stop();
    const status = await runAgent(['status'], { config });
    const lines = status.stdout.split('\n').filter((line) => line.includes('is not known'));
    expect(lines).toHaveLength(1);
    for (const collector of seen()) expect(lines[0]).toContain(collector);

    const connection = await runAgent(['check', '--connection', '--json', '--rounds', '3'], { config });
    expect(connection.code).toBe(0);
  });
});

test('what cannot be seen any more stays as it was: a finding of it is neither closed nor opened', async () => {
  const user = (rules: string): Promise<unknown> =>
    server.call('ACL', 'SETUSER', 'agent', 'reset', 'on', `#${hash}`, '~*', '&*', ...rules.split(' '));
  const hash = createHash('sha256').update(password).digest('hex');
  const server = await startServer({ config: sound });
  await fill(server);
  await user('+@all');
  const config = writeConfig({ server, username: 'agent', password, settings: { monitor } });
  const app = await openApp(config);
  onTestFinished(() => app.close());
  let cycles = 0;
  const watch = startWatch(app, () => (cycles += 1));
  onTestFinished(() => watch.stop());
  const open = (): string[] => openFindings(app.state(), 'main').map(({ rule }) => rule);
  await expect.poll(open).toContain('queue-unattended');
  await watch.stop();
  await user('+@all -client|list');
  const later = startWatch(app, () => (cycles += 1));
  onTestFinished(() => later.stop());
  const before = cycles;
  await expect.poll(() => cycles - before).toBeGreaterThan(2);
  expect(open()).toEqual(expect.arrayContaining(['queue-unattended', 'watch-blind']));
  await later.stop();
  // One queue whose keys may not be read any more, while another one can be.
  await server.call('HSET', 'bull:other:meta', 'version', 'bullmq:5.1.0');
  await server.call('SET', 'bull:other:id', 0);
  await user('+@all resetkeys ~bull:other:* ~sess:*');
  const last = startWatch(app, () => (cycles += 1));
  onTestFinished(() => last.stop());
  const since = cycles;
  await expect.poll(() => cycles - since).toBeGreaterThan(2);
  expect(open()).toEqual(expect.arrayContaining(['queue-unattended', 'queue-stuck', 'watch-blind']));
});
