import type { UserId } from '../../lib/process/act-as.ts';
import type { FrameLimits } from '../../lib/verbs/frames.ts';

/** Where the mind asks, and root answers. */
export const switchDescriptor = 3;

/** Where files begin that root has opened for the mind; behind the channel that Node has made for itself. */
export const firstLent = 5;

/** What a mind is started with; behind its command, as JSON. */
export interface MindTask {
  user: UserId;
  /** Paths of the files that are lent, in the order of their descriptors. */
  lent: string[];
  /** Paths of folders whose files are among them. */
  folders: string[];
  /** One that is to be filled, by the descriptor behind theirs. */
  fill: { path: string; taken: readonly string[] } | undefined;
}

/** Of what either side reads from the other: a few words, names and numbers, and the settings as bytes. */
export const switchLimits: FrameLimits = { head: 256 * 1024, bytes: 8 * 1024 * 1024 };

/** Milliseconds. A stop of a unit takes as long as the server's last save. */
export const switchPatience = 60 * 60_000;

/** Goes with a socket that root hands over. */
export interface Handed {
  handed: number;
}

/** Fields of INFO that a server's process and service are found by. */
export const askedFields = [
  'process_id',
  'uptime_in_seconds',
  'server_time_usec',
  'config_file',
  'redis_version',
  'valkey_version',
  'server_name',
];
