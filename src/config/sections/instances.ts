import { resolve } from 'node:path';
import * as z from 'zod';
import type { InstanceSettings } from '../../domain/settings/instances.ts';
import { path, secretRef, service, text } from '../fields.ts';
import { redisUrlProblem } from '../redis-url.ts';
import type { Section } from './section.ts';
import { showThresholds, thresholdsSchema } from '../thresholds.ts';

const firstInstance = 'name at least one server: - { name: main, url: redis://127.0.0.1:6379 }';

export const instancesSection: Section<InstanceSettings[]> = {
  schema: (folder) =>
    z
      .array(instanceSchema(folder), {
        error: ({ input }) => (input === undefined ? `is missing; ${firstInstance}` : undefined),
      })
      .min(1, `is empty; ${firstInstance}`),
  show: (instances) =>
    instances.map(({ thresholds, ...instance }) => ({
      ...instance,
      ...(thresholds !== undefined && { thresholds: showThresholds(thresholds) }),
    })),
  example: `# The Redis and Valkey servers that the agent looks after.
instances:
    # Lower-case letters, digits, - and _. The name is a folder in the repository: do not change it later.
  - name: main
    # redis://host:port, rediss://host:port (TLS) or unix:///path/of/redis.sock. No user, password or database in it.
    url: redis://127.0.0.1:6379
    # The agent's own ACL user (redis-agent init makes one), or leave username out for a plain requirepass.
    username: redis-agent
    password: { file: /etc/redis-agent/secrets/main }
    # The server's systemd unit, which a restore stops and starts; found when left out. For a server without one:
    # { start: [/usr/bin/redis-server, /etc/redis/redis.conf], stop: [/usr/local/bin/stop-redis] }; whole paths, no
    # shell. Without stop the server itself is asked to end. They run as the server's user; where no unit says who that
    # is and it may be down when a restore begins, add it: { start: […], user: redis }, or { unit: …, user: redis }.
    service: redis-server.service
    # The server's own programs, of its version; found in the start command's folder, where packages put them and on
    # PATH when left out. They and every folder above belong to root (or to the agent's user), and nobody else may write
    # there.
    # tools: { redis_server: /opt/redis/bin/redis-server, redis_check_rdb: …, redis_check_aof: … }
    # Of a server in a container, whose dir is another path here: its data folder as this host has it.
    # data_dir: /var/lib/docker/volumes/redis/_data
    # Where rename-command is in use: the names under which this server has these commands.
    # renamed: { CONFIG: CONFIG_9f2a, BGSAVE: BGSAVE_41c7 }
    # What it is used for: cache, queue, session or durable. It picks the thresholds.
    role: queue
    # The policy of harden, when it is not the role's: cache, queue, session, durable, or a file of yours.
    # policy: policies/queue-large.yaml
    # Bounds of its own, before those of monitor.thresholds below.
    # thresholds: { clients: { warning: 300 }, memory_bytes: { warning: 100mb } }
    # Of a server that is billed by command: poll it once a minute, with one command.
    # frugal: true

  - name: sessions
    url: rediss://sessions.internal.example:6380
    username: redis-agent
    password: { credential: sessions-password }
    # Only with rediss://. Without ca the system's authorities count; cert and key only if the server asks for them.
    tls:
      ca: /etc/redis-agent/tls/ca.pem
      cert: /etc/redis-agent/tls/agent.pem
      key: /etc/redis-agent/tls/agent.key
      # server_name: redis.internal.example      # when the certificate has another name than the URL
    role: session

  # - name: local
  #   url: unix:///run/redis/redis-server.sock
`,
};

/** Becomes a folder in the repository and a label of metrics. */
const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'is not a usable name; lower-case letters, digits, - and _, at most 63, first a letter or digit',
  );

const url = z.string().transform((value, context) => {
  const problem = redisUrlProblem(value);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  return value;
});

/** A server takes any name; one with white space could not be typed, and none means that the command is switched off. */
const renamed = z
  .record(
    z.string().regex(/^[A-Za-z]{1,32}$/, 'is not the name of a command; write CONFIG: CONFIG_9f2a'),
    z
      .string()
      .regex(
        /^[\x21-\x7e]{1,256}$/,
        'is not a name that a command can have; one that is switched off (rename-command … "") cannot be named',
      ),
  )
  .transform((names) =>
    Object.fromEntries(Object.entries(names).map(([command, own]) => [command.toUpperCase(), own])),
  );

function instanceSchema(folder: string) {
  const tls = z.strictObject({
    ca: path(folder).optional(),
    cert: path(folder).optional(),
    key: path(folder).optional(),
    server_name: text.optional(),
  });
  return z
    .strictObject({
      name,
      url,
      username: text
        .refine((value) => !/\s/.test(value), 'holds white space; no ACL user has any')
        .optional(),
      password: secretRef(folder).optional(),
      tls: tls.optional(),
      service: service.optional(),
      tools: z
        .strictObject({
          redis_server: path(folder).optional(),
          redis_check_rdb: path(folder).optional(),
          redis_check_aof: path(folder).optional(),
        })
        .optional(),
      data_dir: path(folder).optional(),
      renamed: renamed.optional(),
      role: z.enum(['cache', 'queue', 'session', 'durable']).optional(),
      policy: text.transform((value) => (/[./]/.test(value) ? resolve(folder, value) : value)).optional(),
      frugal: z.boolean().optional(),
      thresholds: thresholdsSchema().optional(),
    })
    .superRefine((instance, context) => {
      const problem = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: [key], message });
      if (instance.username !== undefined && instance.password === undefined)
        problem('username', 'has no password beside it; add password: { file: … }');
      if (instance.tls === undefined) return;
      if (!instance.url.startsWith('rediss:'))
        problem('tls', 'is not used by this url; write rediss://… for TLS, or leave tls out');
      if ((instance.tls.cert === undefined) !== (instance.tls.key === undefined))
        problem('tls', 'has one of cert and key; a client certificate needs both');
    });
}
