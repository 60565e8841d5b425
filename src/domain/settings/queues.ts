/** One entry of `monitor.queues`: which queue, and what is asked of it. */
export interface QueueSettings {
  /** Of every instance when left out. */
  instance?: string | undefined;
  db?: number | undefined;
  /** Of Bull or BullMQ: its name, and what its keys begin with. */
  name?: string | undefined;
  prefix?: string | undefined;
  /** Or a key. */
  list?: string | undefined;
  zset?: string | undefined;
  stream?: string | undefined;
  /** Of a stream; every one when left out. */
  group?: string | undefined;
  /** Keys of the application's own counters: jobs being worked on, and done. */
  processing?: string | undefined;
  completed?: string | undefined;
  /** How long completed and failed jobs are to be kept, milliseconds, and how many completed ones at most. */
  keep?:
    | { completed?: number | undefined; failed?: number | undefined; last?: number | undefined }
    | undefined;
  /** More jobs waiting than this are told. */
  depth?: number | undefined;
  /** A job that is due for longer is told, milliseconds. */
  age?: number | undefined;
  /** Work is due and nothing is finished for so long, milliseconds. */
  stuck?: number | undefined;
  /** It is not watched at all. */
  ignore?: boolean | undefined;
}

/** One entry of `monitor.patterns`: keys of the application's own that are alike, such as sessions or counters of limits. */
export interface PatternSettings {
  /** As in SCAN. */
  match: string;
  /** Of every instance when left out. */
  instance?: string | undefined;
  db?: number | undefined;
  /** The longest time to live that is expected, milliseconds; each needs one. */
  ttl?: number | undefined;
  /** Of counters: one at this or above it is blocked. */
  limit?: number | undefined;
}
