import { expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load.ts';
import { redisUrlProblem } from '../../../src/config/redis-url.ts';
import { largestGap } from '../../../src/config/schedule-gap.ts';
import { messageOf } from '../../../src/domain/errors.ts';

const instance = 'instances: [{ name: main, url: "redis://h" }]';
const repository = 'repository: { type: filesystem, path: x }';
const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

async function problem(source: string): Promise<string> {
  const error: unknown = await parseSettings(source, '/x').catch((thrown: unknown) => thrown);
  return error instanceof Error ? messageOf(error).replaceAll(/\/x:[0-9:]+ /g, '') : 'accepted';
}

it.each([
  ['name: 12', 'name: is a number; it must be text; put it in quotes'],
  ['name: -a', 'name: is not a usable name'],
  [`name: ${'a'.repeat(64)}`, 'name: is not a usable name'],
  ['name: a/b', 'name: is not a usable name'],
  ['name: a, username: u', 'username: has no password beside it; add password: { file: … }'],
  ['name: a, username: "u v", password: {env: A}', 'username: holds white space; no ACL user has any'],
  ['name: a, tls: {}', 'tls: is not used by this url; write rediss://… for TLS, or leave tls out'],
  ['name: a, password: {file: ~/x}', 'password: its file is not a usable path; write { file: PATH }'],
  ['name: a, service: ""', 'service: is empty; give it a value or leave the key out'],
])('refuses an instance with %s', async (keys, message) => {
  expect(await problem(`instances: [{ url: "redis://h", ${keys} }]\n${repository}`)).toMatch(
    `instances[0].${message}`,
  );
});

it('wants certificate and key together', async () => {
  const tls = 'instances: [{ name: a, url: "rediss://h", tls: { cert: x } }]';
  expect(await problem(`${tls}\n${repository}`)).toBe(
    'instances[0].tls: has one of cert and key; a client certificate needs both',
  );
});

it.each([
  ['{}', 'type: is missing; one of filesystem, s3'],
  ['{ type: filesystem }', 'path: is missing; it has no default'],
  ['{ type: filesystem, path: ~/x }', 'path: ~ is not expanded; write the whole path'],
  [
    '{ type: filesystem, path: x, bucket: b }',
    'bucket: unknown key; known here: compression, encryption, path, type',
  ],
  ['{ type: s3, bucket: b }', 'bucket: is not a bucket’s name'],
  ['{ type: s3, bucket: bbb, prefix: a//b }', 'prefix: is not a key prefix'],
  ['{ type: s3, bucket: bbb, prefix: a/../b }', 'prefix: is not a key prefix'],
  ['{ type: s3, bucket: bbb, endpoint: "https://u:p@h" }', 'endpoint: is not a service’s address'],
  ['{ type: s3, bucket: bbb, endpoint: "http://h:99999" }', 'endpoint: is not a service’s address'],
  ['{ type: s3, bucket: bbb, storage_class: GLACIER }', 'storage_class: cannot be read back at once'],
  [
    '{ type: s3, bucket: bbb, force_path_style: 1 }',
    'force_path_style: is a number; it must be true or false',
  ],
  [
    '{ type: s3, bucket: bbb, server_side_encryption: { algorithm: AES25 } }',
    'server_side_encryption.algorithm: is not one of AES256, aws:kms, aws:kms:dsse; did you mean AES256?',
  ],
  [
    '{ type: s3, bucket: bbb, server_side_encryption: { algorithm: AES256, kms_key_id: k } }',
    'server_side_encryption.kms_key_id: is not used by AES256',
  ],
  [
    '{ type: s3, bucket: bbb, credentials: { access_key_id: { env: A } } }',
    'credentials.secret_access_key: does not say where the secret is kept',
  ],
  [
    '{ type: filesystem, path: x, compression: { zstd: 20 } }',
    'compression.zstd: is not a whole number from 1 to 19',
  ],
  [
    '{ type: filesystem, path: x, compression: { zst: 3 } }',
    'compression.zst: unknown key; did you mean zstd?',
  ],
  [
    '{ type: filesystem, path: x, compression: non }',
    'compression: is neither none nor a section; write { zstd: 1 } (fast) to { zstd: 19 } (small), or none; did you mean none?',
  ],
  [
    '{ type: filesystem, path: x, compression: off }',
    'compression: is neither none nor a section; write { zstd: 1 } (fast) to { zstd: 19 } (small), or none; did you mean none?',
  ],
  [
    '{ type: s3, bucket: bbb, compression: 3 }',
    'compression: is neither none nor a section; write { zstd: 1 } (fast) to { zstd: 19 } (small), or none',
  ],
  ['{ type: s3, bucket: bbb, compression: [none] }', 'compression: is neither none nor a section'],
  ['{ type: filesystem, path: x, compression: }', 'compression: is neither none nor a section'],
])('refuses a repository %s', async (section, message) => {
  expect(await problem(`${instance}\nrepository: ${section}`)).toMatch(`repository.${message}`);
});

it.each([
  [recipient, 'accepted'],
  [recipient.replace('ql3z', 'ql3y'), 'is not a whole age recipient'],
  ['ssh-ed25519 AAAA', 'is not an age recipient'],
  ['AGE-SECRET-KEY-1HUNTER2', 'is a secret identity'],
])('takes the age recipient %s for what it is', async (key, message) => {
  const encryption = `encryption: { age_recipients: ["${key}"] }`;
  const shown = await problem(`${instance}\nrepository: { type: filesystem, path: x, ${encryption} }`);
  expect(shown).toMatch(message);
  expect(shown).not.toMatch(/HUNTER2/);
});

it.each([
  ['"0 25 * * *"', 'its hour "25" is wrong; write 0 to 23'],
  ['"0 0 * * mun"', 'its day of the week "mun" is wrong; write 0 to 7, where 0 and 7 are Sunday'],
  ['"* * *"', 'is not a schedule; write minute hour day month weekday'],
  ['""', 'is not a schedule'],
  ['5', 'is not a schedule'],
  ['', 'is empty; write minute hour day month weekday, such as "0 */6 * * *", or off'],
  ['"0 0 31 2 *"', 'names a day that its months never have; choose a day that exists'],
])('refuses the schedule %s', async (schedule, message) => {
  expect(await problem(`${instance}\n${repository}\nbackup: { schedule: ${schedule} }`)).toMatch(
    `backup.schedule: ${message}`,
  );
});

it.each([
  ['jitter: 30', 'jitter: is not a duration; write 15s, 5m, 6h or 7d'],
  ['jitter: 2d', 'jitter: is out of range; from 0s to 1d'],
  ['shrink_alert: 50', 'shrink_alert: is not a share; a number above 0 and up to 1, such as 0.5'],
  ['shrink_alert: .nan', 'shrink_alert: is not a share'],
  ['retention: { keep_min: 0 }', 'retention.keep_min: is not a whole number from 1 to 10000'],
  ['retention: { days: 1.5 }', 'retention.days: is not a whole number from 0 to 36500'],
])('refuses backup: { %s }', async (keys, message) => {
  expect(await problem(`${instance}\n${repository}\nbackup: { ${keys} }`)).toMatch(`backup.${message}`);
});

it('takes the time zone as the system knows it', async () => {
  expect(await problem(`${instance}\n${repository}\ntimezone: Europe/Berln`)).toBe(
    'timezone: is not a time zone; did you mean Europe/Berlin? write a name such as Europe/Berlin or UTC',
  );
});

it.each([
  'redis://h',
  'redis://127.0.0.1:6379/',
  'rediss://[::1]:6380',
  'REDIS://Host_1.example:1',
  'unix:///run/redis/redis.sock',
  'unix:///a%20b',
])('takes the URL %s', (url) => {
  expect(redisUrlProblem(url)).toBeUndefined();
});

it.each([
  ['localhost:6379', /scheme/],
  ['localhost', /no scheme/],
  ['http://h', /scheme is not redis/],
  ['redis://:hunter2@h', /user or password does not belong in the URL/],
  ['redis://hunter2@h', /user or password does not belong in the URL/],
  ['redis://:hunter2', /port is not a number|no host/],
  ['redis://h:0', /port is not a number from 1 to 65535/],
  ['redis://h:65536', /port is not a number from 1 to 65535/],
  ['redis://h:', /port is not a number/],
  ['redis://h/2', /leave the database number out/],
  ['redis://h?password=hunter2', /holds \? or #/],
  ['redis://', /no host/],
  ['redis:h', /host is not a name/],
  ['redis://h x', /white space/],
  ['redis://h\n', /white space/],
  ['unix://run/x.sock', /three slashes/],
  ['unix:///', /three slashes/],
  ['unix:///a%zz', /write %25/],
])('refuses the URL %j', (url, message) => {
  expect(redisUrlProblem(url)).toMatch(message);
  expect(redisUrlProblem(url)).not.toMatch(/hunter2/);
});

it.each([
  ['0 */6 * * *', 6],
  ['0 0 * * *', 24],
  ['@daily', 24],
  ['0 0,1 * * *', 23],
  ['*/30 * * * * *', 30 / 3600],
  ['0 3 * * 0', 168],
  ['0 3,4 * * 1-5', 71],
  ['0 0 1 * *', 31 * 24],
  ['0 0 L * *', 31 * 24],
  ['0 0 29 2 *', (4 * 365 + 1) * 24],
])('finds the longest pause of %s: %d hours', (cron, hours) => {
  expect(largestGap(cron) / 3_600_000).toBeCloseTo(hours);
});
