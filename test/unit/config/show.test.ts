import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load.ts';
import { showSettings, showSettingsYaml } from '../../../src/config/show.ts';

const s3 = `instances:
  - name: main
    url: unix:///run/redis/redis.sock
    password: { env: REDIS_PASSWORD }
  - name: other
    url: rediss://[::1]:6380
    tls: { ca: ca.pem, server_name: redis }
repository:
  type: s3
  bucket: backups
  prefix: /redis/a/
  endpoint: http://127.0.0.1:9000/
  server_side_encryption: { algorithm: "aws:kms", kms_key_id: k }
  object_lock_days: 30
  compression: none
  credentials: { access_key_id: { file: s3/id }, secret_access_key: { credential: s3-key } }
  encryption:
    age_recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
    age_identity: { file: /secrets/age }
backup: { schedule: off, jitter: 1500ms }
verify: { schedule: off, load: false }
drill: { schedule: off }
aof: { schedule: 30 * * * * }
timezone: europe/berlin
`;

it.each([
  ['the example', readFileSync('conf/config.example.yaml', 'utf8')],
  ['S3', s3],
])('shows %s so that it loads again', async (_, source) => {
  const settings = await parseSettings(source, '/etc/redis-agent/config.yaml');
  expect(await parseSettings(showSettingsYaml(settings), '/elsewhere/x.yaml')).toEqual(settings);
});

it('reads and normalises S3 settings', async () => {
  const { repository, backup, timezone } = await parseSettings(s3, '/etc/config.yaml');
  expect(repository).toMatchObject({
    prefix: 'redis/a',
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:9000',
    force_path_style: true,
    object_lock: { mode: 'GOVERNANCE', days: 30 },
    compression: 'none',
    credentials: { access_key_id: { file: '/etc/s3/id' } },
  });
  // Without a schedule of the agent's own: two days and an hour.
  expect(backup).toMatchObject({ schedule: null, stale_after: 49 * 3_600_000 });
  expect(timezone).toBe('Europe/Berlin');
});

it('shows where secrets are kept, and durations as they are written', async () => {
  const shown = showSettings(await parseSettings(s3, '/etc/config.yaml'));
  expect(shown).toMatchObject({
    instances: [{ password: { env: 'REDIS_PASSWORD' } }, { tls: { ca: '/etc/ca.pem' } }],
    repository: {
      object_lock_days: 30,
      object_lock_mode: 'governance',
      encryption: { age_identity: { file: '/secrets/age' } },
    },
    backup: { schedule: 'off', jitter: '1500ms', stale_after: '49h', snapshot_timeout: '1h' },
    verify: { schedule: 'off', load: false },
    drill: { schedule: 'off' },
    aof: { schedule: '30 * * * *' },
  });
  const minimal =
    'instances: [{ name: main, url: "redis://127.0.0.1:1" }]\nrepository: { type: filesystem, path: /r }';
  expect(showSettings(await parseSettings(minimal, '/etc/config.yaml'))).toMatchObject({
    drill: { schedule: '0 4 1 */3 *', overdue_after: '184d' },
  });
});
