import type { AclProfile } from './profile.ts';

export const replication: AclProfile = {
  name: 'replication',
  title: 'what replicas log in as (masteruser)',
  proven: 'a replica of each server',
  commands: ['ping', 'psync', 'replconf'],
  optional: [],
  keys: [],
  channels: [],
  notes: ['It reads all data by copying it: its password is worth as much as the data.'],
};

export const sentinel: AclProfile = {
  name: 'sentinel',
  title: 'what Sentinels log in as on the servers that they watch',
  proven: 'three Sentinels of each server and an automatic failover',
  commands: [
    'ping',
    'info',
    'role',
    'publish',
    'subscribe',
    'multi',
    'exec',
    'slaveof',
    'replicaof',
    'failover',
    'config|rewrite',
    'client|setname',
    'client|setinfo',
    'client|kill',
    'script|kill',
  ],
  optional: [],
  keys: [],
  channels: ['__sentinel__:*'],
  notes: [
    'SLAVEOF is what it sends, not REPLICAOF; Valkey 9 needs FAILOVER too.',
    'With SLAVEOF and CONFIG REWRITE it can do much: give it a password of its own.',
  ],
};

export const admin: AclProfile = {
  name: 'admin',
  title: 'people who look after the server',
  proven: null,
  commands: ['@all'],
  optional: [],
  keys: ['*'],
  channels: ['*'],
  notes: ['One for each person, so that ACL LOG and CLIENT LIST say who it was.'],
};
