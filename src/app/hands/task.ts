import { longestRead } from '../../backup/restore/folder/open-files.ts';
import { longestNote } from '../../lib/files/foreign-file.ts';
import type { FrameLimits } from '../../lib/verbs/frames.ts';

/** Where the verbs come in and the answers go out: what it has besides are no streams of anybody's. */
export const handsDescriptor = 3;

/** Of what either side reads from the other. A journal may be as long as a note, and is read and written whole. */
export const handsLimits: FrameLimits = {
  head: 2 * longestNote,
  bytes: Math.max(longestRead, 16 * 1024 * 1024),
};
