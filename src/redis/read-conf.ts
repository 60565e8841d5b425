import { glob, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AgentError, messageOf, systemCode } from '../domain/errors.ts';
import { parseConf, type Directive } from '../formats/conf/parse-conf.ts';

/** What the next start of a server will go by. */
export interface ServerConf {
  /** Every file that was read, the first one first. */
  files: string[];
  /** The first value of the directive's last mention; undefined when it is nowhere. */
  get(name: string): string | undefined;
  /** The first values of all its mentions, for directives that add up (loadmodule). */
  all(name: string): string[];
}

/** As in the server (config.c), against files that include themselves. */
const deepest = 16;

/**
 * Reads a redis.conf with all that it includes (patterns too), then `options`, those of the command line. A directive
 * that an include sets counts where the include stands. Rejects with an AgentError `failed` that names the file which
 * cannot be read: half of a configuration is worse than none.
 */
export async function readConf(file: string | undefined, options: Directive[] = []): Promise<ServerConf> {
  const reading: Reading = { files: [], from: '/' };
  const directives = file === undefined ? [] : await readOne(resolve('/', file), reading, 0);
  const all = [...directives, ...options];
  return {
    files: reading.files,
    get: (name) => all.findLast((directive) => directive.name === name)?.values[0],
    all: (name) => all.flatMap((directive) => (directive.name === name ? directive.values.slice(0, 1) : [])),
  };
}

interface Reading {
  files: string[];
  /** Where relative paths count from: at first where the server was started, which for a service is the root. */
  from: string;
}

async function readOne(file: string, reading: Reading, depth: number): Promise<Directive[]> {
  if (depth > deepest) throw unreadable(file, 'files include one another');
  reading.files.push(file);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, systemCode(error) ?? messageOf(error), error);
  }
  const found: Directive[] = [];
  for (const directive of parseConf(text)) {
    const [target] = directive.values;
    if (directive.name === 'include' && target !== undefined) {
      for (const each of await included(resolve(reading.from, target)))
        found.push(...(await readOne(each, reading, depth + 1)));
      continue;
    }
    found.push(directive);
    // The server changes into it as soon as it has read the line (config.c).
    if (directive.name === 'dir' && target !== undefined) reading.from = resolve(reading.from, target);
  }
  return found;
}

/** A pattern that fits nothing is no error to the server; a plain path that is missing is one. */
async function included(path: string): Promise<string[]> {
  if (!/[*?[]/.test(path)) return [path];
  const found: string[] = [];
  for await (const each of glob(path)) found.push(each);
  return found.toSorted();
}

function unreadable(file: string, why: string, cause?: unknown): AgentError {
  return new AgentError('failed', `cannot read the server’s configuration ${file}: ${why}`, {
    cause,
    reason: 'conf',
    hint: 'run as root, or as a user that may read it',
  });
}
