import type { InstanceSettings, Settings } from '../../../domain/settings.ts';
import type { TaskEntry, EvidenceLine, TaskState } from '../../../domain/task.ts';
import type { Repository } from '../../../backup/repository.ts';
import type { Clock } from '../../../domain/clock.ts';
import type { Progress } from '../../../domain/progress.ts';
import type { RedisConnection } from '../../../redis/connection/connect.ts';
import type { State } from '../../../state/db/open.ts';
import type { Series } from '../../../state/series/series.ts';

/** What evidence is gathered from. */
export interface EvidenceSource {
  instance: InstanceSettings;
  settings: Settings;
  state: State;
  /** What was measured. */
  series(this: void): Series;
  /** One connection for all evidence of a run. */
  connect(this: void): Promise<RedisConnection>;
  /** The backups' repository; rejects with an AgentError where it is away. */
  openRepository(this: void): Promise<Repository>;
  /** The last time that the task was done; undefined: never. */
  last: TaskEntry | undefined;
  /** Where the task stands before this. */
  standing: TaskState;
  now: number;
  clock: Clock;
  progress: Progress;
  signal: AbortSignal;
}

/** Looks, and says what it saw; changes nothing. */
export type Evidence = (source: EvidenceSource) => Promise<EvidenceLine[]>;
