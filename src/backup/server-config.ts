import { AgentError, messageOf } from '../domain/errors.ts';
import { serverConfigSchema, type ServerConfig } from '../domain/server-config.ts';
import type { RedisConnection, Reply } from '../redis/connection/connect.ts';
import { readInfo } from '../redis/server.ts';
import { readForeignSync } from '../lib/files/foreign-file.ts';
import { resolveConf } from '../redis/conf/resolve-conf.ts';
import { printConf } from '../formats/conf/document.ts';
import { splitLine } from '../formats/conf/split-line.ts';

/** Directives that are a secret. */
const secret = /^(requirepass|masterauth|primaryauth|tls-(client-)?key-file-pass|sentinel-pass|auth-pass)$/;
/** Stands where one was. */
const mask = '(masked)';
/** With all that is included; a configuration of 100 000 lines has 5 MB. */
const mostText = 4 * 1024 * 1024;

/**
 * Asks a server how it is set up, reads only. `masked`: without passwords and their hashes. `users`: may ACL LIST be tried,
 * which leaves a line in the server's ACL LOG where it is not allowed? What cannot be seen is said.
 */
export async function gatherServerConfig(
  connection: RedisConnection,
  { now, masked, users = true }: { now: number; masked: boolean; users?: boolean },
): Promise<ServerConfig> {
  const missing: string[] = [];
  const ask = async (command: string, ...args: string[]): Promise<string[] | undefined> => {
    try {
      return texts(await connection.call(command, ...args));
    } catch (error) {
      if (!(error instanceof AgentError) || error.reason === 'closed') throw error;
      missing.push(error.hint === undefined ? error.message : `${error.message}; ${error.hint}`);
      return undefined;
    }
  };
  const words = (await ask('CONFIG', 'GET', '*')) ?? [];
  const config: Record<string, string> = {};
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [name = '', value = ''] = [words[at], words[at + 1]];
    config[name] = masked && secret.test(name) && value !== '' ? mask : value;
  }
  const acl = users ? await ask('ACL', 'LIST') : undefined;
  if (!users) missing.push('its users: not asked for again, since that was refused; grant +acl|list');
  const path = (await readInfo(connection, 'server')).get('config_file') ?? '';
  return {
    schema: serverConfigSchema,
    at: new Date(now).toISOString(),
    config,
    acl: acl?.map((line) => (masked ? maskLine(line) : line)) ?? null,
    files: [...readFiles(path, masked, missing), ...readAclFile(config['aclfile'], masked, missing)],
    masked,
    missing,
  };
}

/** Root would be led to any file of the host by what a server names: then none is read. */
function readFiles(path: string, masked: boolean, missing: string[]): ServerConfig['files'] {
  if (path === '') {
    missing.push('it runs without a configuration file');
    return [];
  }
  if (process.geteuid?.() === 0) {
    missing.push(`${path}: not read by root, which a server could lead to any file; the daemon reads it`);
    return [];
  }
  try {
    const { files, problems } = resolveConf(path);
    for (const problem of problems) missing.push(`${problem.path}: ${problem.why}`);
    let left = mostText;
    return files.flatMap(({ path: file, document: lines }) => {
      const bytes = printConf(lines);
      if ((left -= bytes.length) < 0) {
        missing.push(`${file}: too large to be kept`);
        return [];
      }
      const text = Buffer.from(bytes).toString('utf8');
      return [{ path: file, text: masked ? text.split('\n').map(maskLine).join('\n') : text }];
    });
  } catch (error) {
    missing.push(`${path}: ${messageOf(error)}`);
    return [];
  }
}

/** What the next start has of users, where they are in a file of their own: ACL LIST is what the server has now. */
function readAclFile(path: string | undefined, masked: boolean, missing: string[]): ServerConfig['files'] {
  if (path === undefined || path === '') return [];
  if (process.geteuid?.() === 0 || !path.startsWith('/')) {
    missing.push(
      path.startsWith('/')
        ? `${path}: not read by root; the daemon reads it`
        : `${path}: where that is counts from where the server was started`,
    );
    return [];
  }
  try {
    const text = readForeignSync(path, mostText);
    return [{ path, text: masked ? text.split('\n').map(maskLine).join('\n') : text }];
  } catch (error) {
    missing.push(`${path}: ${messageOf(error)}`);
    return [];
  }
}

/** A line of redis.conf, an aclfile or ACL LIST without what is secret in it, in comments too. */
export function maskLine(line: string): string {
  const isComment = /^\s*#/.test(line);
  const plain = line.replace(/^[\s#]+/, '');
  const split = splitLine(Buffer.from(plain, 'utf8').toString('latin1'));
  // A server reads no such line, and what somebody meant by it is unknown.
  if (split.broken !== undefined) return isComment && !speaksOfSecret(plain) ? line : mask;
  const words = split.words.map(({ text }) => text);
  const [name = '', second = ''] = words;
  const before = isComment ? '# ' : '';
  if (secret.test(name.toLowerCase())) return `${before}${name} ${mask}`;
  if (/^rename-command$/i.test(name)) return `${before}${name} ${second} ${mask}`;
  if (/^sentinel$/i.test(name) && /pass/i.test(second)) return `${before}${name} ${second} ${mask}`;
  if (!/^user$/i.test(name)) return line;
  return before + words.map((word) => (/^[>#<!]/.test(word) ? `${word[0]}${mask}` : word)).join(' ');
}

function speaksOfSecret(text: string): boolean {
  return /pass|auth|user|rename-command/i.test(text);
}

function texts(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
