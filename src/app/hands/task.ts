import type { FileOwnership } from '../../backup/restore/file-ownership.ts';
import { longestRead } from '../../backup/restore/folder/open-files.ts';
import { longestNote } from '../../lib/foreign-file.ts';
import type { FrameLimits } from '../../lib/verbs/frames.ts';

/** Where it works, and how files are to be there; behind the command, as JSON. */
export interface HandsTask {
  dir: string;
  ownership: FileOwnership;
}

/** Of what either side reads from the other. A journal may be as long as a note, and is read and written whole. */
export const handsLimits: FrameLimits = {
  head: 2 * longestNote,
  bytes: Math.max(longestRead, 16 * 1024 * 1024),
};
