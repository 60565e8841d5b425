import type { EngineVersion } from '../../formats/conf/engine.ts';
import { seen, type AuditFacts } from '../facts.ts';
import { readFiles, type ReadFilesOptions } from './read-files.ts';

/** What stands in for the server when nobody has said which it will be. */
const assumed: EngineVersion = { engine: 'redis', version: '8.0', docker: false };

export interface FileAuditOptions {
  engine: EngineVersion | undefined;
  aclfile?: string | undefined;
  source?: ReadFilesOptions['source'];
  origins?: ReadFilesOptions['origins'];
  name?: string | undefined;
  role?: AuditFacts['role'];
  now: number;
  memory?: number | undefined;
}

/** The facts of a file that no server has read yet. */
export function gatherFileFacts(path: string, options: FileAuditOptions): AuditFacts {
  const engine = options.engine ?? assumed;
  const { aclfile, source, origins, name, memory } = options;
  const files = readFiles(path, { engine, alone: true, aclfile, source, origins, name, memory });
  const nothing = 'no server was asked';
  return {
    instance: files.name,
    now: options.now,
    mode: 'files',
    engine,
    engineKnown: options.engine !== undefined,
    role: options.role,
    server: { absent: nothing },
    files: seen(files),
    host: { absent: nothing },
    agent: {
      username: undefined,
      passwordMark: undefined,
      samePassword: [],
      repository: { absent: nothing },
      staff: [],
    },
    lastSeen: new Map(),
    certificateDays: {},
  };
}
