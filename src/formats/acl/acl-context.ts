import type { EngineVersion } from '../conf/engine.ts';

/** What rules are read by. */
export interface AclContext {
  engine: EngineVersion;
  /** SHA-256 in lower-case hex: PURE code does not import one. */
  hash(this: void, password: string): string;
  /** `acl-pubsub-default`: resetchannels from 7.0 on, allchannels in 6.2. */
  channelsByDefault?: 'allchannels' | 'resetchannels' | undefined;
  /** Commands of modules are not in our tables: on a server that runs, what it has accepted exists. */
  lenient?: boolean | undefined;
}
