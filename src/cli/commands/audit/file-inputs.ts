import { globSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { parseYaml } from '../../../config/document.ts';
import type { TextOrigin } from '../../../harden/read/read-files.ts';
import { AgentError } from '../../../domain/errors.ts';
import { parseEngine, type EngineVersion } from '../../../formats/conf/engine.ts';
import { readForeignFile } from '../../../lib/files/foreign-file.ts';
import { whyUnread } from '../../../redis/conf/resolve-conf.ts';
import { confsInYaml } from './yaml-confs.ts';

/** A configuration to be audited without its server. */
export interface FileInput {
  path: string;
  /** What it holds, where it is not read again with its includes. */
  source: Uint8Array | undefined;
  /** How it is called in the report. */
  name: string;
  /** Where each line of that begins in the file, where it is part of one. */
  origins?: TextOrigin[];
  /** What the file itself says of the server. */
  engine: EngineVersion | undefined;
}

const largest = 32 * 1024 * 1024;

/** Files, patterns, `-` for stdin, and YAML of docker-compose or Helm. Throws an AgentError `usage` a line for each that cannot be read. */
export async function readInputs(words: readonly string[], stdin: Readable): Promise<FileInput[]> {
  const found: FileInput[] = [];
  const problems: string[] = [];
  for (const word of words) {
    if (word === '-') {
      found.push({ path: '/dev/stdin', source: await readAll(stdin), name: '-', engine: undefined });
      continue;
    }
    const paths = /[*?[]/.test(word) ? globSync(word).toSorted() : [word];
    if (paths.length === 0) problems.push(`${word}: no file fits`);
    for (const path of paths) {
      try {
        found.push(...readOne(path));
      } catch (error) {
        problems.push(`${path}: ${error instanceof AgentError ? error.message : whyUnread(path, error)}`);
      }
    }
  }
  if (problems.length > 0)
    throw new AgentError('usage', `cannot read ${problems.join('\ncannot read ')}`, {
      hint: 'name a redis.conf, a sentinel.conf, a compose file or Helm values with --conf, or - for stdin',
    });
  return found;
}

function readOne(path: string): FileInput[] {
  const { bytes } = readForeignFile(path, { as: undefined, limit: largest });
  if (!/\.ya?ml$/i.test(path)) {
    if (bytes.includes(0)) throw new AgentError('usage', 'it is no text');
    return [{ path, source: undefined, name: path, engine: undefined }];
  }
  const whole = Buffer.from(bytes).toString('utf8');
  const document = parseYaml(whole);
  if (Array.isArray(document)) throw new AgentError('usage', 'it is no YAML');
  const confs = confsInYaml({ text: whole, document });
  if (confs.length === 0)
    throw new AgentError('usage', 'no command of redis-server and no configuration stands in it');
  return confs.map(({ where, text, origins, image }) => ({
    path,
    source: Buffer.from(text),
    origins,
    name: `${path} (${where})`,
    engine: image === undefined ? undefined : engineOf(image),
  }));
}

/** `redis:7.2-alpine`, `valkey/valkey:8.1`, `bitnami/redis:7.4.1` */
function engineOf(image: string): EngineVersion | undefined {
  const [, engine, version] =
    /(?:^|\/)(redis|valkey)(?:-stack|-server)?:(\d+(?:\.\d+){0,2})/.exec(image) ?? [];
  return engine === undefined ? undefined : parseEngine(`${engine}-${version}-docker`);
}

async function readAll(stdin: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from(String(chunk));
    length += bytes.length;
    if (length > largest) throw new AgentError('usage', `stdin has more than ${largest} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
