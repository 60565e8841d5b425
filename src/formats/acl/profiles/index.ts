import { app, cache, exporter, readonly, session } from './applications.ts';
import type { AclProfile } from './profile.ts';
import { bull, bullmq, celery } from './queues.ts';
import { admin, replication, sentinel } from './staff.ts';

/** Every profile, in the order of docs/acl-profiles.md. The agent’s own is made from what watching needs. */
export const aclProfiles: readonly AclProfile[] = [
  bullmq,
  bull,
  celery,
  app,
  cache,
  session,
  readonly,
  exporter,
  replication,
  sentinel,
  admin,
];

/** Undefined where there is none of that name; `ioredis` and `node-redis` are clients of the profile app. */
export function findProfile(name: string): AclProfile | undefined {
  const wanted = aliases[name] ?? name;
  return aclProfiles.find((profile) => profile.name === wanted);
}

/** Whoever logs in with it is no application: replicas, Sentinels, exporters, people. */
export function isStaffProfile(name: string): boolean {
  const found = findProfile(name);
  return found !== undefined && [exporter, replication, sentinel, admin].includes(found);
}

const aliases: Readonly<Record<string, string>> = {
  ioredis: 'app',
  'node-redis': 'app',
  redis_exporter: 'exporter',
  sessions: 'session',
};
