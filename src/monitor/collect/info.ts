import { metrics } from '../../domain/metrics.ts';
import { infoKeyspace, parseInfo, type Info } from '../../formats/info/parse-info.ts';
import type { Collector, Draft } from './parts/collector.ts';
import { finite, pairsOf, shortened, textOf } from './parts/numbers.ts';

/** One INFO without arguments: all that every poll needs, the same from Redis 6.0 to Valkey 9. */
export const infoCollector: Collector = {
  name: 'info',
  rights: ['+info'],
  every: 0,
  frugal: 0,
  commands: () => [['INFO']],
  read([reply], draft) {
    const info = parseInfo(textOf(reply));
    // Whatever answers without it is no server's INFO: a proxy's page, or half of a reply.
    if (!info.has('redis_version') && !info.has('valkey_version')) return;
    readIdentity(info, draft);
    readTable(info, draft);
    readErrors(info, draft);
    readStates(info, draft);
    readReplication(info, draft);
    readKeyspace(info, draft);
  },
};

function readIdentity(info: Info, { values, texts, known, askedAt }: Draft): void {
  known.seenAt = askedAt;
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version') ?? '';
  texts['engine'] = valkey === undefined ? 'redis' : 'valkey';
  texts['version'] = shortened(version, 20);
  texts['role'] = info.get('role') === 'slave' ? 'replica' : 'master';
  const { 1: major, 2: minor, 3: patch } = /^(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(version) ?? [];
  known.engine = valkey === undefined ? 'redis' : 'valkey';
  if (major !== undefined) known.version = [Number(major), Number(minor), Number(patch)];
  const mode = info.get('redis_mode') ?? info.get('server_mode') ?? 'standalone';
  texts['mode'] = known.mode = shortened(mode, 20);
  const clients = finite(info.get('connected_clients'));
  known.clients = clients ?? 0;
  // One of them is this one.
  if (clients !== undefined) values['clients_connected'] = Math.max(0, clients - 1);
  known.replica = info.get('role') === 'slave';
  known.databases = Object.keys(infoKeyspace(info)).map((name) => Number(name.replace(/^db/, '')));
  const runId = info.get('run_id');
  if (runId !== undefined && /^[0-9a-f]{40}$/.test(runId)) known.runId = runId;
  for (const field of ['maxmemory_policy', 'master_host', 'process_id', 'loading'] as const) {
    const value = info.get(field);
    if (value !== undefined) texts[field] = shortened(value);
  }
  if (loadsCopy(info, askedAt)) texts['loading_from'] = 'master';
}

/** A replica loads twice: its own file when it starts, and what its master sent whenever it takes a whole copy. */
function loadsCopy(info: Info, askedAt: number): boolean {
  const began = finite(info.get('loading_start_time'));
  const uptime = finite(info.get('uptime_in_seconds'));
  if (info.get('role') !== 'slave' || began === undefined || uptime === undefined) return false;
  // Before 6.2 the server does not tell its own time.
  const now = (finite(info.get('server_time_usec')) ?? askedAt * 1000) / 1e6;
  return began - (now - uptime) > 5;
}

/** The fields that are a metric as they stand. */
function readTable(info: Info, { values }: Draft): void {
  for (const { name, info: field, scale = 1 } of metrics) {
    const value = field === undefined ? undefined : finite(info.get(field)?.replace(/%$/, ''));
    if (value !== undefined) values[name] = value * scale;
  }
  const sum = (...fields: string[]): number | undefined => {
    const parts = fields.map((field) => finite(info.get(field)));
    return parts.every((part) => part !== undefined) ? parts.reduce((a, b) => a + b, 0) : undefined;
  };
  assign(values, 'cpu_seconds_total', sum('used_cpu_sys', 'used_cpu_user'));
  assign(
    values,
    'cpu_main_thread_seconds_total',
    sum('used_cpu_sys_main_thread', 'used_cpu_user_main_thread'),
  );
}

/** How often each kind of error was answered. */
function readErrors(info: Info, { values }: Draft): void {
  // Past 128 kinds of errors the server gives up on telling them apart (7.4).
  if (info.has('errorstat_ERRORSTATS_DISABLED')) return;
  const kinds = {
    auth_failures: 'WRONGPASS',
    noauth_errors: 'NOAUTH',
    noperm_errors: 'NOPERM',
    oom_errors: 'OOM',
  };
  for (const [name, kind] of Object.entries(kinds)) {
    const text = info.get(`errorstat_${kind}`);
    // A kind that has not happened is not listed; before 6.2 none is.
    if (text === undefined && !info.has('total_error_replies')) continue;
    values[`${name}_total`] = text === undefined ? 0 : (finite(pairsOf(text).get('count')) ?? 0);
  }
}

function readStates(info: Info, { values }: Draft): void {
  const states: readonly (readonly [string, string, string])[] = [
    ['save_last_ok', 'rdb_last_bgsave_status', 'ok'],
    ['aof_last_write_ok', 'aof_last_write_status', 'ok'],
    ['aof_last_rewrite_ok', 'aof_last_bgrewrite_status', 'ok'],
    ['master_link_up', 'master_link_status', 'up'],
    ['master', 'role', 'master'],
  ];
  for (const [name, field, good] of states) {
    const state = info.get(field);
    if (state !== undefined) values[name] = state === good ? 1 : 0;
  }
}

function readReplication(info: Info, { values }: Draft): void {
  const offset = finite(info.get('master_repl_offset'));
  const own = finite(info.get('slave_repl_offset'));
  const behind: number[] = [];
  const silent: number[] = [];
  let [listed, online] = [false, 0];
  // At most as many as there can be; a hostile server could list millions.
  for (let index = 0; index < 64; index++) {
    const line = info.get(`slave${index}`);
    if (line === undefined) break;
    listed = true;
    const replica = pairsOf(line);
    const at = finite(replica.get('offset'));
    const lag = finite(replica.get('lag'));
    if (replica.get('state') !== 'online') continue;
    online += 1;
    if (offset !== undefined && at !== undefined) behind.push(Math.max(0, offset - at));
    // -1 where it has never acknowledged anything.
    if (lag !== undefined && lag >= 0) silent.push(lag);
  }
  if (listed) values['replicas_online'] = online;
  if (behind.length > 0) values['replication_lag_bytes'] = Math.max(...behind);
  if (silent.length > 0) values['replication_lag_seconds'] = Math.max(...silent);
  // Below 0 where the copy is sent as it is made.
  const left = finite(info.get('master_sync_left_bytes'));
  if (left !== undefined && left >= 0) values['master_sync_left_bytes'] = left;
  const heard = finite(info.get('master_last_io_seconds_ago'));
  if (own !== undefined && heard !== undefined && heard >= 0) values['replication_lag_seconds'] = heard;
}

function readKeyspace(info: Info, { values }: Draft): void {
  const databases = Object.values(infoKeyspace(info));
  values['keys'] = databases.reduce((sum, { keys }) => sum + keys, 0);
  values['keys_expiring'] = databases.reduce((sum, { expires }) => sum + expires, 0);
}

function assign(values: Record<string, number>, name: string, value: number | undefined): void {
  if (value !== undefined) values[name] = value;
}
