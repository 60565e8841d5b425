import { totalmem } from 'node:os';
import { parseConfDocument, printConf } from '../../../formats/conf/document.ts';
import type { EngineVersion } from '../../../formats/conf/engine.ts';
import { mendConf } from '../../../formats/conf/mend-conf.ts';
import { sha256 } from '../../../harden/read/hash.ts';
import { readForeignFile } from '../../../lib/files/foreign-file.ts';
import type { FileInput } from './file-inputs.ts';

const newest: EngineVersion = { engine: 'redis', version: '8.0', docker: false };

/** The file as the server takes it. It is the caller's own file: passwords stand in it as they did. */
export function previewFix({ path, source }: FileInput, engine: EngineVersion | undefined): string {
  const bytes = source ?? readForeignFile(path, { as: undefined, limit: 32 * 1024 * 1024 }).bytes;
  const mended = mendConf(parseConfDocument(bytes), {
    engine: engine ?? newest,
    hash: sha256,
    memory: totalmem(),
  });
  return Buffer.from(printConf(mended)).toString('utf8');
}
