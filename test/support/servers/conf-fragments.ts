import fc from 'fast-check';
import { directiveNames, lookUpDirective } from '../../../src/formats/conf/directive-table.ts';
import type { EngineVersion } from '../../../src/formats/conf/engine.ts';

/**
 * What a line of its own cannot be judged by: the first three name files or folders, `rename-command` and `user` may
 * stand once for each name, and `replicaof` excludes `cluster-enabled`.
 */
const apart = new Set([
  'include',
  'dir',
  'logfile',
  'rename-command',
  'user',
  'replicaof',
  'slaveof',
  'cluster-enabled',
  'aclfile',
  'locale-collate',
]);

const odd = [
  'yes',
  'NO',
  '1',
  'true',
  '""',
  '0',
  '-1',
  '007',
  '5.5',
  '99999999999999999999',
  '1gb',
  '1GB',
  '1.5gb',
  '10%',
  '1tb',
  '64k',
  '1 gb',
  '~',
  'noeviction',
  'noevict',
  'everysec',
  'notice',
  '755',
  '999',
  '"a b"',
  "'it'",
  '"\\x41"',
  '"open',
  'x # comment',
  '100 # comment',
  'yes no',
  '',
];

/** Lines that a server may or may not take, for its own directives. */
export function confFragments(engine: EngineVersion): fc.Arbitrary<string> {
  const names = directiveNames(engine).filter((name) => !apart.has(name));
  return fc.constantFrom(...names).chain((name) => {
    const known = lookUpDirective(name, engine);
    const values = known.state === 'known' ? goodValues(known.facts) : [];
    return fc
      .tuple(
        fc.constantFrom('', '  ', '\t'),
        fc.constantFrom(...values, ...values, ...odd),
        fc.constantFrom('', '\r', ' '),
      )
      .map(([before, value, after]) => `${before}${name} ${value}${after}`);
  });
}

function goodValues({
  type,
  values,
  min,
  max,
}: {
  type: string;
  values?: string[];
  min?: number;
  max?: number;
}): string[] {
  if (type === 'yes-no') return ['yes', 'no', 'Yes'];
  if (type === 'enum') return values ?? [];
  if (type === 'integer' && min !== undefined && max !== undefined)
    return [min, max, min - 1, max + 1, Math.min(max, 100)].filter(Number.isSafeInteger).map(String);
  if (type === 'memory') return ['100mb', '1g', '4096', '2MB'];
  return ['text'];
}

/** From real files, and from the documentation's traps. */
export const collectedFragments: readonly string[] = [
  'port 0',
  'PORT 0',
  '"po\\x72t" 0',
  'save 900 1',
  'save ""',
  'save',
  'save 900',
  'save 900 x',
  'save 0 1',
  'save "900 1 300 10"',
  'save 3600 1 300 100 60 10000',
  'save 900 1 # x',
  'bind 127.0.0.1',
  'bind 127.0.0.1 -::1',
  'bind',
  'timeout 0',
  'tcp-keepalive 300',
  'tcp-nodelay yes',
  'client-output-buffer-limit normal 0 0 0',
  'client-output-buffer-limit slave 256mb 64mb 60',
  'client-output-buffer-limit pubsub 32mb 8mb',
  'client-output-buffer-limit nobody 1 1 1',
  'notify-keyspace-events ""',
  'notify-keyspace-events KEA',
  'notify-keyspace-events Q',
  'oom-score-adj-values 0 200 800',
  'oom-score-adj-values 0 200',
  'oom-score-adj-values 0 200 9000',
  'maxmemory-policy noeviction',
  'maxmemory-policy ALLKEYS-LRU',
  'maxmemory-policy noevict',
  'requirepass ""',
  'requirepass a b',
  `requirepass ${'x'.repeat(600)}`,
  'loglevel warning',
  'loglevel loud',
  'dbfilename dump.rdb',
  'dbfilename a/b.rdb',
  'appendfilename a/b.aof',
  'unixsocketperm 700',
  'unixsocketperm 0700',
  'unixsocketperm 888',
  'activedefrag no',
  'set-max-listpack-entries 128',
  'hash-max-ziplist-entries 512',
  'maxmemory-clients 10%',
  'maxclients 0',
  'databases 0',
  'syslog-facility local0',
  'nonsense 1',
  '# comment',
  '   ',
  '\t# comment',
  "logfile ''",
];
