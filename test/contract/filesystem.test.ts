import { join } from 'node:path';
import { makeTempFolder, removeTempFolder } from '../support/house/temp-folder.ts';
import { storeContract } from './store.ts';

storeContract('filesystem', async () => {
  const folder = makeTempFolder();
  let number = 0;
  return {
    // Made by the first put.
    fresh: async () => ({ type: 'filesystem', root: join(folder, `${(number += 1)}`, 'repository') }),
    supports: { ifNoneMatch: true, ifNoneMatchMultipart: true, multipart: true, listsUploads: true },
    stop: async () => removeTempFolder(folder),
  };
});
