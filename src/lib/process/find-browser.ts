import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const folders = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'];

/** The program of a browser of Chromium's family; undefined where none is installed. */
export function findBrowser(path: string | undefined): string | undefined {
  const all = [...(path ?? '').split(delimiter).filter((folder) => isAbsolute(folder)), ...folders];
  return all.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => canRun(file));
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
