import type { FrameLimits } from '../../lib/verbs/frames.ts';

/** Where the mind asks, and root answers. */
export const switchDescriptor = 3;

/** Of what either side reads from the other: a few words, names and numbers. */
export const switchLimits: FrameLimits = { head: 256 * 1024, bytes: 0 };

/** Goes with a socket that root hands over. */
export interface Handed {
  handed: number;
}

/** Fields of INFO that a server's process and service are found by. */
export const askedFields = [
  'process_id',
  'uptime_in_seconds',
  'config_file',
  'redis_version',
  'valkey_version',
  'server_name',
];
