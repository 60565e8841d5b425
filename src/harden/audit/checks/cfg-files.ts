import { shellWord } from '../../../lib/process/shell-word.ts';
import { additive, canonicalName } from '../../../formats/conf/aliases.ts';
import { lookUpDirective } from '../../../formats/conf/directive-table.ts';
import { showEngine } from '../../../formats/conf/engine.ts';
import { holdsSecret } from '../../../formats/conf/fault.ts';
import { parseConfSize } from '../../../formats/conf/judge-value.ts';
import { setting, type AuditFacts, type FileEntry } from '../../facts.ts';
import { check, given, type Check, type Violation } from '../check.ts';
import { sources } from '../sources.ts';

/** Judged by checks of their own, different by nature, or secrets whose running value is never read. */
const compared = (name: string): boolean =>
  !additive.has(name) &&
  !holdsSecret(name) &&
  !['appendonly', 'daemonize', 'supervised', 'pidfile', 'replicaof', 'aclfile', 'locale-collate'].includes(
    name,
  );

/** One form for `1gb` and 1073741824, `YES` and yes, and lists in quotes. */
function normal(facts: AuditFacts, name: string, value: string): string {
  const known = lookUpDirective(name, facts.engine);
  const text = value.trim().replaceAll(/\s+/g, ' ');
  if (known.state === 'known' && /memory/.test(known.facts.type)) return String(parseConfSize(text) ?? text);
  if (known.state === 'known' && /yes-no|enum/.test(known.facts.type)) return text.toLowerCase();
  if (known.state === 'known' && known.facts.type === 'octal') return String(Number.parseInt(text || '0', 8));
  return name === 'dir' ? text.replace(/\/+$/, '') : text;
}

function lastEntries(entries: readonly FileEntry[]): Map<string, FileEntry> {
  const found = new Map<string, FileEntry>();
  for (const entry of entries) {
    // An option of the command line holds for the next start too, where the unit gives it.
    const name = canonicalName(entry.name);
    if (compared(name)) found.set(name, entry);
  }
  return found;
}

const differs: Check = check(
  'CFG08',
  {
    severity: 'high',
    title: 'the file says something else than the server does',
    why: 'The next start goes by the file: whatever was set by hand is lost then, perhaps in the middle of an incident.',
    source: sources.config,
  },
  (facts) =>
    given(facts.server, ({ config }) =>
      given(config, (running) =>
        given(facts.files, (files) => {
          const [problem] = files.problems;
          if (problem !== undefined) return { missing: `${problem.path}: ${problem.why}` };
          const found: Violation[] = [];
          for (const [name, entry] of lastEntries(files.entries)) {
            const now = running.get(name) ?? running.get(entry.name);
            const said = entry.values.join(' ');
            if (now === undefined || normal(facts, name, now) === normal(facts, name, said)) continue;
            found.push({
              resource: name,
              severity: [
                'bind',
                'maxmemory',
                'maxmemory-policy',
                'protected-mode',
                'port',
                'dir',
                'dbfilename',
              ].includes(name)
                ? 'high'
                : 'warning',
              summary: `${name} is ${quoted(now)} now, and will be ${quoted(said)} after the next start`,
              remedy: `write what is right into the file, or CONFIG SET ${name} ${quoted(said)}`,
              effect: 'file',
              proof: `CONFIG GET ${name}, and read in the file`,
              evidence: { running: now.slice(0, 200), file: said.slice(0, 200) },
              place: entry.place,
            });
          }
          return found;
        }),
      ),
    ),
);

function quoted(value: string): string {
  const text = value.length > 80 ? `${value.slice(0, 77)}…` : value;
  return /^[\w./:*-]+$/.test(text) ? text : JSON.stringify(text);
}

const shadowed: Check = check(
  'CFG09',
  {
    severity: 'warning',
    title: 'a later line overrides an earlier one',
    why: 'The last mention wins. Whoever changes the first one changes nothing, most often where a file is included after it.',
    source: sources.config,
  },
  (facts) =>
    given(facts.files, ({ entries, sentinel }) => {
      if (sentinel) return [];
      const first = new Map<string, FileEntry>();
      const found = new Map<string, Violation>();
      for (const entry of entries) {
        const name = canonicalName(entry.name);
        if (!compared(name) && name !== 'appendonly' && name !== 'requirepass') continue;
        const before = first.get(name);
        first.set(name, entry);
        if (before === undefined || before.values.join(' ') === entry.values.join(' ')) continue;
        const where =
          entry.place === undefined ? 'the command line' : `${entry.place.file}:${entry.place.line}`;
        const other =
          before.place === undefined ? 'the command line' : `${before.place.file}:${before.place.line}`;
        const crossing = before.place?.file !== entry.place?.file;
        found.set(name, {
          resource: name,
          severity: crossing ? 'warning' : 'info',
          summary: `${name} of ${other} does not count: ${where} says ${holdsSecret(name) ? 'something else' : quoted(entry.values.join(' '))} after it`,
          remedy: `take one of the two lines out`,
          effect: 'file',
          proof: 'read in the file',
          place: entry.place,
        });
      }
      return [...found.values()];
    }),
);

const clients: Check = check(
  'CFG12',
  {
    severity: 'warning',
    title: 'fewer clients than the file allows',
    why: 'Without enough open files the server lowers maxclients by itself and says so in its log alone: connections are refused earlier than expected.',
    source: sources.clients,
  },
  (facts) =>
    given(facts.server, () =>
      given(facts.files, ({ entries }) =>
        given(setting(facts, 'maxclients'), (now) => {
          const said = entries.findLast(({ name }) => name === 'maxclients');
          const wanted = Number(said?.values[0] ?? 10_000);
          if (Number(now.value) >= wanted) return [];
          return [
            {
              resource: 'maxclients',
              summary: `maxclients is ${now.value}, although ${said === undefined ? 'the default is' : 'the file says'} ${wanted}`,
              remedy: `LimitNOFILE=${wanted + 64} for the unit, daemon-reload, restart`,
              effect: 'restart',
              proof: 'CONFIG GET maxclients, and read in the file',
              place: said?.place,
            },
          ];
        }),
      ),
    ),
);

const faulty: Check = check(
  'CFG14',
  {
    severity: 'critical',
    title: 'a line that the server does not start with',
    why: 'The server names the first such line and ends. It may have run for months since the line was written, and not start after the next reboot.',
    source: sources.config,
  },
  (facts) =>
    given(facts.files, ({ faults, aclfile, problems, sentinel }) => {
      if (sentinel) return [];
      const all = [...faults, ...(aclfile?.faults ?? [])];
      const found: Violation[] = all
        .filter(
          ({ weight, kind, name }) => weight === 'fatal' && !(kind === 'combination' && name === 'user'),
        )
        .map((fault) => ({
          resource: `${fault.file}:${fault.line}`,
          summary: `${fault.name === undefined ? '' : `${fault.name}: `}${fault.message}`,
          remedy: fault.right === undefined ? 'correct the line or take it out' : `write: ${fault.right}`,
          effect: 'file',
          proof: `the grammar of ${showEngine(facts.engine)}, as probed`,
          evidence: { kind: fault.kind },
          place: { file: fault.file, line: fault.line, column: fault.column },
        }));
      for (const { path, why, from } of problems)
        if (from !== undefined)
          found.push({
            resource: path,
            severity: /does not exist/.test(why) ? 'critical' : isJoined(why) ? 'high' : 'warning',
            summary: `include ${path}: ${why}`,
            remedy: isJoined(why)
              ? `end its last line: echo >> ${shellWord(path)}`
              : 'correct the path, or use a pattern (*.conf), which may be empty from 7.0 on',
            effect: 'file',
            proof: 'tried to read it',
            place: from,
          });
      return found;
    }),
);

const isJoined = (why: string): boolean => why.startsWith('its last line has no end');

export const cfgFilesChecks: readonly Check[] = [differs, shadowed, clients, faulty];
