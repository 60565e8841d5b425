import type { DataFolder } from '../folder/data-folder.ts';
import type { FolderOwner } from '../folder/find-folder.ts';
import type { Layout } from '../layout.ts';

/** Who works in the data directories of servers: ourselves, or a process with the rights of the server's user. */
export interface Hands {
  /** Looks at a data directory (see findFolder), and works there from then on. */
  openFolder(this: void, named: string, layout: Layout, owner: FolderOwner): Promise<DataFolder>;
  /** Ends all processes; nothing that they were told to do is under way by then. */
  close(this: void): Promise<void>;
}
