import type { Rule } from '../../../domain/rule.ts';
import type { Evaluator } from '../evaluator.ts';
import { aclDenials } from './acl-denials.ts';
import { certificateExpiry } from './certificate-expiry.ts';
import { certificateServed } from './certificate-served.ts';
import { clientsBlocked } from './clients-blocked.ts';
import { clientsExhausted } from './clients-exhausted.ts';
import { clientsMany } from './clients-many.ts';
import { clockSkew } from './clock-skew.ts';
import { clusterState } from './cluster-state.ts';
import { commandP95 } from './command-p95.ts';
import { commandsDay } from './commands-day.ts';
import { connectionFailures } from './connection-failures.ts';
import { credentialInvalid } from './credential-invalid.ts';
import { roleChanged } from './role-changed.ts';
import { forkSlow } from './fork-slow.ts';
import { hitRate } from './hit-rate.ts';
import { hostDisk } from './host-disk.ts';
import { hostMemory } from './host-memory.ts';
import { keysExpireLate } from './keys-expire-late.ts';
import { keysNeverExpire } from './keys-never-expire.ts';
import { keysWithoutTtl } from './keys-without-ttl.ts';
import { lastWritesFailed } from './last-writes.ts';
import { masterLink } from './master-link.ts';
import { memoryFragmented } from './memory-fragmented.ts';
import { memoryFull } from './memory-full.ts';
import { memoryLimit } from './memory-limit.ts';
import { memoryHigh } from './memory-high.ts';
import { memorySize } from './memory-size.ts';
import { queueAge } from './queue-age.ts';
import { queueDepth } from './queue-depth.ts';
import { queueKept } from './queue-kept.ts';
import { queueFailures } from './queue-failures.ts';
import { queueOverdue } from './queue-overdue.ts';
import { queueRetention } from './queue-retention.ts';
import { queueStalled } from './queue-stalled.ts';
import { queueStuck } from './queue-stuck.ts';
import { queueUnattended } from './queue-unattended.ts';
import { replayDropped } from './replay-dropped.ts';
import { replicaLag } from './replica-lag.ts';
import { replicasLost } from './replicas-lost.ts';
import { restartLoop } from './restart-loop.ts';
import { roundTrip } from './round-trip.ts';
import { saveHung } from './save-hung.ts';
import { sentinelQuorum } from './sentinel-quorum.ts';
import { serverBusy } from './server-busy.ts';
import { serverCpu } from './server-cpu.ts';
import { serverDown } from './server-down.ts';
import { serverLoading } from './server-loading.ts';
import { slowCommands } from './slow-commands.ts';
import { slowlogReset } from './slowlog-reset.ts';
import { storageSize } from './storage-size.ts';
import { watchBlind } from './watch-blind.ts';
import { writesRefused } from './writes-refused.ts';

/** Every rule over what is polled. */
export const evaluators: readonly Evaluator[] = [
  serverDown,
  serverBusy,
  serverLoading,
  writesRefused,
  credentialInvalid,
  clientsExhausted,
  restartLoop,
  watchBlind,
  aclDenials,
  certificateExpiry,
  certificateServed,
  clientsBlocked,
  clientsMany,
  clockSkew,
  clusterState,
  commandP95,
  commandsDay,
  connectionFailures,
  roleChanged,
  forkSlow,
  hitRate,
  hostDisk,
  hostMemory,
  lastWritesFailed,
  masterLink,
  memoryFragmented,
  memoryFull,
  memoryHigh,
  memoryLimit,
  memorySize,
  replayDropped,
  replicaLag,
  replicasLost,
  roundTrip,
  saveHung,
  sentinelQuorum,
  serverCpu,
  slowCommands,
  slowlogReset,
  storageSize,
  queueStuck,
  queueUnattended,
  queueAge,
  queueOverdue,
  queueDepth,
  queueFailures,
  queueKept,
  queueStalled,
  queueRetention,
  keysNeverExpire,
  keysWithoutTtl,
  keysExpireLate,
];

export const watchRules: readonly Rule[] = evaluators.map(({ rule }) => rule);
