import { queueMetrics } from './queue.ts';

/** What is measured: one name in samples, in the history and, with `redis_agent_server_` before it, in /metrics. */
export interface Metric {
  name: string;
  kind: 'gauge' | 'counter';
  help: string;
  /** Where INFO has it: the field, and by what to multiply. */
  info?: string;
  scale?: number;
}

const gauge = (name: string, help: string, info?: string, scale?: number): Metric => ({
  name,
  kind: 'gauge',
  help,
  ...(info !== undefined && { info }),
  ...(scale !== undefined && { scale }),
});
const counter = (name: string, help: string, info?: string, scale?: number): Metric => ({
  ...gauge(name, help, info, scale),
  kind: 'counter',
});

export const metrics: readonly Metric[] = [
  gauge('up', 'Whether the server answers: 1, or 0 while it is down, busy or refuses the agent.'),
  gauge('uptime_seconds', 'How long the server process has run.', 'uptime_in_seconds'),
  gauge('round_trip_seconds', 'One PING of the agent, there and back.'),
  gauge('clock_skew_seconds', 'The server’s clock minus the agent’s.'),

  gauge('clients_connected', 'Connected clients without the agent’s own.'),
  gauge('clients_max', 'The most clients that the server takes.', 'maxclients'),
  gauge('clients_blocked', 'Clients that wait in a blocking command.', 'blocked_clients'),
  counter('connections_received_total', 'Connections that were accepted.', 'total_connections_received'),
  counter('connections_rejected_total', 'Connections refused because of maxclients.', 'rejected_connections'),
  counter('auth_failures_total', 'Attempts with a wrong user or password.'),
  gauge('auth_denials_day', 'Refused logins of the last 24 hours, as far as ACL LOG keeps them.'),
  counter('noauth_errors_total', 'Commands refused because nobody had logged in (NOAUTH).'),
  counter('noperm_errors_total', 'Commands refused by ACL rules.'),
  counter('oom_errors_total', 'Writes refused because memory is full (OOM).'),
  counter('error_replies_total', 'Error replies of all kinds.', 'total_error_replies'),
  counter(
    'unexpected_errors_total',
    'Error replies to a master or to the append only file, which should not be.',
    'unexpected_error_replies',
  ),

  counter('commands_total', 'Commands executed, the agent’s too.', 'total_commands_processed'),
  counter('cpu_seconds_total', 'Processor time of the whole server.'),
  counter('cpu_main_thread_seconds_total', 'Processor time of the thread that executes commands.'),
  counter('keyspace_hits_total', 'Look-ups that found their key.', 'keyspace_hits'),
  counter('keyspace_misses_total', 'Look-ups that found none.', 'keyspace_misses'),
  gauge('keys', 'Keys in all databases.'),
  gauge('keys_expiring', 'Keys that have a time to live.'),
  counter('expired_keys_total', 'Keys that reached their time to live.', 'expired_keys'),
  counter('evicted_keys_total', 'Keys dropped because memory was full.', 'evicted_keys'),
  counter('net_input_bytes_total', 'Bytes received.', 'total_net_input_bytes'),
  counter('net_output_bytes_total', 'Bytes sent.', 'total_net_output_bytes'),

  gauge('memory_used_bytes', 'Memory that the server has allocated.', 'used_memory'),
  gauge('memory_rss_bytes', 'Memory as the operating system sees it.', 'used_memory_rss'),
  gauge('memory_peak_bytes', 'The most it had allocated since it started.', 'used_memory_peak'),
  gauge('memory_dataset_bytes', 'The part that holds data.', 'used_memory_dataset'),
  gauge('memory_max_bytes', 'maxmemory; 0 is no limit of its own.', 'maxmemory'),
  gauge(
    'memory_limit_bytes',
    'What bounds it: maxmemory, else the container’s limit, else the host’s memory.',
  ),
  gauge(
    'container_memory_limit_bytes',
    'What the control groups of the server’s container allow it, where one of them has a limit.',
  ),
  gauge('memory_used_ratio', 'memory_used_bytes / memory_limit_bytes.'),
  gauge('memory_fragmentation_ratio', 'Resident over allocated memory.', 'mem_fragmentation_ratio'),
  gauge('memory_fragmentation_bytes', 'Resident beyond allocated memory.', 'mem_fragmentation_bytes'),
  gauge('memory_allocator_fragmentation_ratio', 'Held by the allocator over used.', 'allocator_frag_ratio'),
  gauge('memory_allocator_fragmentation_bytes', 'Held by the allocator, not used.', 'allocator_frag_bytes'),
  gauge('memory_allocated_bytes', 'What the allocator has given out.', 'allocator_allocated'),

  gauge('save_last_ok', 'Whether the last snapshot was written (1) or failed (0).'),
  gauge('save_last_timestamp_seconds', 'When the last good snapshot was begun.', 'rdb_last_save_time'),
  gauge('save_last_duration_seconds', 'How long the last snapshot took.', 'rdb_last_bgsave_time_sec'),
  gauge('save_current_seconds', 'How long the one under way has taken.', 'rdb_current_bgsave_time_sec'),
  gauge('save_current_keys', 'Keys that the one under way has written.', 'current_save_keys_processed'),
  gauge('save_in_progress', 'Whether a snapshot is being written.', 'rdb_bgsave_in_progress'),
  gauge('changes_since_save', 'Changes since the last good snapshot.', 'rdb_changes_since_last_save'),
  gauge('fork_seconds', 'How long the last fork held the server up.', 'latest_fork_usec', 1e-6),
  gauge('aof_enabled', 'Whether there is an append only file.', 'aof_enabled'),
  gauge('aof_last_write_ok', 'Whether the last write to it succeeded.'),
  gauge('aof_last_rewrite_ok', 'Whether its last rewrite succeeded.'),
  gauge('aof_rewrite_in_progress', 'Whether it is being rewritten.', 'aof_rewrite_in_progress'),
  gauge('aof_size_bytes', 'How large it is.', 'aof_current_size'),
  gauge(
    'aof_replay_denials',
    'Commands that were refused while it was loaded, as far as ACL LOG keeps them.',
  ),
  counter('aof_rewrites_total', 'Rewrites that were begun.', 'aof_rewrites'),
  gauge('loading_ratio', 'How much of the data set has been loaded.', 'loading_loaded_perc', 0.01),
  gauge('loading_eta_seconds', 'How long loading will still take.', 'loading_eta_seconds'),

  gauge('master', 'Whether it is a master (1) or a replica (0).'),
  gauge('replicas_connected', 'Replicas that are connected.', 'connected_slaves'),
  gauge('replicas_online', 'Those of them that have their copy and follow.'),
  gauge('replication_lag_bytes', 'How far the last replica (or this one) is behind.'),
  gauge('replication_lag_seconds', 'How long ago the slowest replica was last heard.'),
  gauge('master_link_up', 'On a replica: whether its master is connected.'),
  gauge('master_link_down_seconds', 'How long that link has been down.', 'master_link_down_since_seconds'),
  gauge(
    'master_sync_in_progress',
    'On a replica: whether it takes a whole copy of its master’s data.',
    'master_sync_in_progress',
  ),
  gauge('master_sync_left_bytes', 'How much of that copy is left, where the master said how much there is.'),
  gauge('cluster_ok', 'Whether the cluster serves (cluster_state).'),
  gauge('cluster_slots_unserved', 'Slots that no master serves.'),
  gauge('cluster_nodes', 'Nodes that the cluster knows.'),
  gauge('sentinel_masters', 'Masters that this Sentinel watches.', 'sentinel_masters'),
  gauge('sentinel_quorum_ok', 'Whether every master has its quorum (SENTINEL CKQUORUM).'),

  gauge('slowlog_threshold_seconds', 'slowlog-log-slower-than; -1 is off.'),
  counter('slow_commands_total', 'Commands that the slow log held, seen by the agent.'),
  counter('slow_commands_lost_total', 'Slow commands that the log dropped before the agent could read them.'),
  gauge('command_p50_seconds', 'Upper bound of the median execution time of the busiest commands.'),
  gauge('command_p95_seconds', 'The same, 95 of 100 commands.'),
  gauge('command_p99_seconds', 'The same, 99 of 100 commands.'),

  gauge('host_disk_free_bytes', 'Free space where the server writes, seen by the agent.'),
  gauge('host_disk_size_bytes', 'Size of that file system.'),
  gauge('host_memory_total_bytes', 'Memory of the host, as the server sees it.', 'total_system_memory'),
  gauge('host_memory_available_bytes', 'Memory of the host that can be had without swapping.'),
  gauge('certificate_expiry_timestamp_seconds', 'When the certificate that is served expires.'),
  gauge('certificate_file_expiry_timestamp_seconds', 'When the one on disk expires.'),
  gauge('commands_day', 'Commands in the last 24 hours, without the agent’s own.'),

  counter('own_commands_total', 'Commands that the agent has sent to watch it.'),
  counter('own_auth_failures_total', 'Times that its credential was refused.'),
  counter('own_noperm_errors_total', 'Times that it was refused a command.'),
  counter('own_connect_failures_total', 'Times that the agent could not connect.'),
];

const counters = new Set<string>(
  [...metrics, ...queueMetrics].filter(({ kind }) => kind === 'counter').map(({ name }) => name),
);

export const isCounter = (name: string): boolean => counters.has(name);
