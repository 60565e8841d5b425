import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AgentError, systemCode } from '../domain/errors.ts';
import type { Settings } from '../domain/settings.ts';
import { currentUser, describeOwner, describeReadFailure } from '../lib/files/file-owner.ts';
import type { Problem } from './problems.ts';
import type { ParsedDocument, Position } from './document.ts';

/** Where the configuration is when neither --config nor $REDIS_AGENT_CONFIG says otherwise. */
const defaultConfigPath = '/etc/redis-agent/config.yaml';

/** A configuration of a hundred instances has 20 KB; anything near this is another file. */
const maxBytes = 1024 * 1024;

/** A misunderstood file can have thousands of problems; the first ones say enough. */
const maxProblems = 50;

export interface LoadOptions {
  env: NodeJS.ProcessEnv;
  /** Every rule there is, for what names some; none are checked when left out. */
  rules?: readonly string[] | undefined;
}

export interface LoadedSettings {
  settings: Settings;
  /** Absolute path of the file that was read. */
  path: string;
}

/** The file to read: `--config`, else `$REDIS_AGENT_CONFIG`, else the default. Absolute. */
export function configPath(path: string | undefined, env: NodeJS.ProcessEnv): string {
  return resolve(path ?? (env['REDIS_AGENT_CONFIG'] || defaultConfigPath));
}

/**
 * Reads and validates the configuration. Relative paths in it count from its folder. Reads no secret.
 * Rejects with an AgentError `usage`: every problem is in the one message, a line
 * `file:line:column: key.path: what is wrong; what would be right` each.
 */
export async function loadSettings(path: string | undefined, options: LoadOptions): Promise<LoadedSettings> {
  const file = configPath(path, options.env);
  return { settings: await parseSettings(readConfigFile(file), file, options.rules), path: file };
}

/** The same for text that is not in a file yet; `file` is for messages and relative paths. */
export async function parseSettings(
  source: string,
  file: string,
  rules?: readonly string[],
): Promise<Settings> {
  // zod, yaml and node-cron take most of the start-up time of the commands that need no configuration.
  const { parseYaml } = await import('./document.ts');
  const { settingsSchema } = await import('./schema.ts');
  const { describeIssues, duplicateNames, showPath } = await import('./problems.ts');
  const document = parseYaml(source);
  if (Array.isArray(document)) throw invalid(file, document);
  if (document.data === null) throw invalid(file, [emptyDocument]);
  if (typeof document.data !== 'object' || Array.isArray(document.data)) throw invalid(file, [noMapping]);
  const schema = settingsSchema(dirname(file));
  const result = await schema.safeParseAsync(document.data);
  const duplicates = duplicateNames(document.data);
  if (result.success) {
    const { nameProblems } = await import('./alerts/name-problems.ts');
    duplicates.push(...nameProblems(result.data, rules));
  }
  if (result.success && duplicates.length === 0) return result.data;
  const issues = describeIssues(result.error?.issues ?? [], schema, document.data);
  const lines = [...issues, ...duplicates].map((problem) =>
    placed(problem, document, showPath(problem.path)),
  );
  throw invalid(file, lines);
}

const start: Position = { line: 1, column: 1 };
const emptyDocument = {
  ...start,
  message: 'the configuration is empty; it needs at least instances and repository',
};
const noMapping = { ...start, message: 'this is not key: value; a space is needed after the colon' };

function placed(problem: Problem, document: ParsedDocument, path: string): Position & { message: string } {
  const { other } = problem;
  const also = other === undefined ? '' : ` (the other is in line ${document.position(other, false).line})`;
  const at = document.position(problem.path, problem.atKey);
  return { ...at, message: `${path}: ${problem.message}${also}` };
}

function invalid(file: string, problems: (Position & { message: string })[]): AgentError {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted
    .slice(0, maxProblems)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  if (sorted.length > maxProblems) lines.push(`${file}: and ${sorted.length - maxProblems} more`);
  return new AgentError('usage', lines.join('\n'), {
    reason: 'config-invalid',
    hint: 'correct the file, then run: redis-agent config check',
  });
}

function readConfigFile(path: string): string {
  let descriptor: number;
  try {
    // Not blocking: a named pipe without a writer would hang the agent.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw refuse(path, 'it is not a regular file', 'name a YAML file with --config');
    if (stats.size > maxBytes)
      throw refuse(
        path,
        `it has more than ${maxBytes} bytes`,
        'is it the right file? --config names another',
      );
    if ((stats.mode & 0o002) !== 0)
      throw refuse(
        path,
        `everybody may write to it (${describeOwner(stats)}), so anybody could redirect the backups`,
        `chmod o-w ${path}`,
      );
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor));
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    if (cause instanceof TypeError)
      throw refuse(path, 'it is not UTF-8 text', 'save it as UTF-8, or name another file with --config');
    throw unreadable(path, cause);
  } finally {
    closeSync(descriptor);
  }
}

function refuse(path: string, why: string, hint: string): AgentError {
  return new AgentError('usage', `cannot use the configuration ${path}: ${why}`, { hint });
}

function unreadable(path: string, cause: unknown): AgentError {
  const missing = systemCode(cause) === 'ENOENT';
  const hint = missing
    ? 'write a first one with: redis-agent init; or name it with --config FILE'
    : `let ${currentUser()} read it, or name another file with --config FILE`;
  return new AgentError(
    'usage',
    `cannot read the configuration ${path}: ${describeReadFailure(path, cause)}`,
    { cause, hint, reason: missing ? 'config-missing' : 'config-unreadable' },
  );
}
