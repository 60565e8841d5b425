import { AgentError } from '../../domain/errors.ts';
import { isAdministrative } from '../../formats/aof/administrative.ts';

const kept = 60;
const longestLine = 300;

/** Here a server that has crashed begins to say all about itself, which is more than is kept; why, it has said before. */
const bugReport = /BUG REPORT START/;

/** The last lines that a program wrote, whatever it writes; of a server that crashes those from before its report, too. */
export class LastLines {
  #lines: string[] = [];
  #before: string[] = [];
  #rest = '';

  add(chunk: Buffer): void {
    const parts = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = (parts.pop() ?? '').slice(0, longestLine);
    for (const part of parts) {
      const line = part.trim().slice(0, longestLine);
      if (bugReport.test(line) && this.#before.length === 0) {
        this.#before = this.#lines.slice(-kept);
        this.#lines = [];
      }
      if (line !== '') this.#lines.push(line);
    }
    this.#lines.splice(0, Math.max(0, this.#lines.length - kept));
  }

  get(): string[] {
    const rest = this.#rest.trim();
    return [...this.#before, ...this.#lines, ...(rest === '' ? [] : [rest])];
  }
}

/** Why a scratch server ended before it had loaded its dump, from how it ended and its last lines. */
export function explainEnd(
  lines: string[],
  endedBy: NodeJS.Signals | null,
  { isAof = false }: { isAof?: boolean } = {},
): AgentError {
  if (endedBy === 'SIGKILL')
    return new AgentError('failed', 'the scratch server was killed while it was loading', {
      reason: 'killed',
      hint: 'the kernel does that when memory runs out: free some, and see dmesg',
    });
  const hostile = isAof ? explainHostile(lines, endedBy) : undefined;
  if (hostile !== undefined) return hostile;
  const text = lines.join('\n');
  const newer = /Can't handle RDB format version (\d+)/.exec(text)?.[1];
  if (newer !== undefined)
    return new AgentError('failed', `the scratch server cannot load RDB version ${newer}`, {
      reason: 'version',
      hint: 'a server of the version that wrote the dump, or a newer one, is needed',
    });
  const fewer = /configured to handle more than (\d+) databases/.exec(text)?.[1];
  if (fewer !== undefined)
    return new AgentError('refused', `it names a database that the server does not have: it has ${fewer}`, {
      reason: 'databases',
      hint: 'raise databases in its configuration',
    });
  const module = lines.find(
    (line) => /\bmodule\b/i.test(line) && /FATAL|can't load|not loaded|no matching/i.test(line),
  );
  if (module !== undefined)
    return new AgentError('failed', `the scratch server lacks a module: ${plain(module)}`, {
      reason: 'module',
      hint: 'a dump with data of modules can only be loaded by a server that has them',
    });
  // Its check tool finds nothing wrong with these. A key that is there twice is read by nothing that writes keys, either.
  const refused = lines.find((line) => /Failed loading library, |RDB has duplicated key /.test(line));
  if (refused !== undefined)
    return new AgentError('damaged', `the scratch server cannot load the dump: ${plain(refused)}`, {
      reason: 'load',
      hint: refused.includes('duplicated key')
        ? 'no server starts with it: use another backup'
        : 'no server starts with it: use another backup, or write its keys one by one: redis-agent restore ID --keys PATTERN --into URL',
    });
  // A server that cannot load its dump runs its own check tool over it (rdb.c, rdbReportError).
  const error = lines.findIndex((line) => line.includes('RDB ERROR DETECTED'));
  if (error !== -1)
    return new AgentError(
      'damaged',
      `the scratch server cannot load the dump: ${lines.slice(error + 1, error + 3).join(', ')}`,
      {
        reason: 'load',
        hint: 'use another backup, or write its keys one by one: redis-agent restore ID --keys PATTERN --into URL',
      },
    );
  const aof = explainAof(lines);
  if (aof !== undefined) return aof;
  // By what it holds: a server that would not start at all says nothing of a dump.
  if (!isAof && hasCrashed(lines, endedBy) && /Loading RDB/i.test(text))
    return new AgentError('damaged', `the scratch server crashed (${endedBy}) while it loaded the dump`, {
      reason: 'load',
      hint: 'a server that starts with it may crash as well: see redis-agent rdb check --deep, and use another backup',
    });
  const last = lines.filter((line) => !/WARNING/.test(line)).slice(-3);
  return new AgentError(
    'failed',
    `the scratch server did not come up: ${last.map(plain).join(', ') || 'it said nothing'}`,
    { reason: 'start', hint: 'does this server start here at all? Try it with --version' },
  );
}

/** Redis; Valkey. */
const unknownCommand =
  /Unknown command '.*' reading the append only file|reading the append only file .*, error: unknown command/;
const badAof =
  // The first is Valkey's, of a command that it knows.
  /Error reading the append only file .*, error: |(?:Bad file format|Unexpected end of file) reading the append only file|truncated file is not the last file|RDB preamble of (?:the )?AOF file/i;

/** How a program ends that has crashed: by itself, and not by whoever wanted it gone. */
const crashes: readonly (NodeJS.Signals | null)[] = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE'];

/** Where memory runs out, servers end themselves by SIGABRT. */
function hasCrashed(lines: readonly string[], endedBy: NodeJS.Signals | null): boolean {
  return crashes.includes(endedBy) && !lines.some((line) => /out of memory/i.test(line));
}

/** Why a server has ended that was to load an append only file which was made to do harm. */
function explainHostile(lines: readonly string[], endedBy: NodeJS.Signals | null): AgentError | undefined {
  const unknown = lines.find((line) => unknownCommand.test(line)) ?? '';
  const name = /command '([^']*)'/i.exec(unknown)?.[1] ?? '';
  if (isAdministrative(name))
    return new AgentError(
      'damaged',
      `the append only file is hostile: it has ${name.toUpperCase()} run, which no server writes`,
      { reason: 'hostile', hint: 'start no server with it, and find out who wrote it; use another backup' },
    );
  if (!hasCrashed(lines, endedBy)) return undefined;
  return new AgentError(
    'damaged',
    `the scratch server crashed (${endedBy}) while it loaded the append only file`,
    { reason: 'load', hint: 'a server that starts with it may crash as well: use another backup' },
  );
}

/** As aof.c says it, loadSingleAppendOnlyFile. */
function explainAof(lines: readonly string[]): AgentError | undefined {
  const unknown = lines.find((line) => unknownCommand.test(line));
  if (unknown !== undefined)
    return new AgentError('failed', `the scratch server cannot run what it should load: ${plain(unknown)}`, {
      reason: 'command',
      hint: 'a server of that version is needed, with the same modules and the same rename-command lines',
    });
  const bad = lines.find((line) => badAof.test(line));
  if (bad === undefined) return undefined;
  return new AgentError('damaged', `the scratch server cannot load the append only file: ${plain(bad)}`, {
    reason: 'load',
    hint: 'this append only file cannot be restored: use another backup',
  });
}

/** Without `pid:role date time level`. */
function plain(line: string): string {
  return line.replace(/^\d+:\S+ .*?\d\d:\d\d:\d\d\.\d+ [.\-*#] /, '');
}
