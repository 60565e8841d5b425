import { aclLogCollector } from './acl-log.ts';
import { clientsCollector } from './clients.ts';
import { clusterCollector } from './cluster.ts';
import { commandsCollector } from './commands.ts';
import { infoCollector } from './info.ts';
import { latencyCollector } from './latency.ts';
import type { Collector } from './parts/collector.ts';
import { sentinelCollector } from './sentinel.ts';
import { queuesCollector } from './queues.ts';
import { settingsCollector } from './settings.ts';
import { slowlogCollector } from './slowlog.ts';
import { timeCollector } from './time.ts';
import { workersCollector } from './workers.ts';

/**
 * Everything that is asked of a server. INFO comes first: what it says is known to those after it.
 */
export const collectors: readonly Collector[] = [
  infoCollector,
  timeCollector,
  slowlogCollector,
  settingsCollector,
  commandsCollector,
  latencyCollector,
  clientsCollector,
  aclLogCollector,
  clusterCollector,
  sentinelCollector,
  workersCollector,
  queuesCollector,
];
