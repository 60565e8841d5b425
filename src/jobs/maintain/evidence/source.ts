import type { InstanceSettings, Settings } from '../../../domain/settings.ts';
import type { TaskEntry, EvidenceLine } from '../../../domain/task.ts';
import type { RedisConnection } from '../../../redis/connect.ts';
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
  /** The last time that the task was done; undefined: never. */
  last: TaskEntry | undefined;
  now: number;
  signal: AbortSignal;
}

/** Looks, and says what it saw; changes nothing. */
export type Evidence = (source: EvidenceSource) => Promise<EvidenceLine[]>;
