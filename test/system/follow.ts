/**
 * follow.ts PAGE: does what a page of the documentation says, in a booted guest, as a person would who has sudo. Each
 * command of an indented block (`    $ command`, and `    > more of it`) is run as it stands, and what it prints is compared
 * with what the page shows, apart from times, sizes and names that differ each time, what is next, and slow commands. The page with what was printed goes to
 * the file PAGE.new. Ends with 1 where something differs.
 *
 * What readers need not see stands in comments: `<!-- run: command -->`, and `<!-- within 60: command -->` until it holds,
 * as root. A command that ends with another status than 0 has it behind what it prints: `# exit status 3`. The last ```yaml
 * block before a `sudoedit FILE` is what the editor adds to that file.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [, , page = ''] = process.argv;
const person = 'anna';
/** What the editor adds, and what the last command has printed: for hidden commands. */
const [pasted, last] = ['/run/follow.paste', '/run/follow.last'];

interface Ran {
  said: string;
  status: number;
}

function ran(argv: readonly string[], seconds: number): Ran {
  const [command = '', ...rest] = argv;
  const { stdout, status, error } = spawnSync(command, rest, {
    encoding: 'utf8',
    timeout: seconds * 1000,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { said: error === undefined ? stdout : `${stdout}${error.message}\n`, status: status ?? 1 };
}

const asRoot = (command: string): Ran => ran(['bash', '-c', `exec 2>&1; ${command}`], 120);
const asPerson = (command: string): Ran =>
  ran(
    ['runuser', '-l', person, '-c', `exec 2>&1; export SUDO_EDITOR=/usr/local/bin/editor; ${command}`],
    300,
  );

/** The lines to show of a command: not apt's own, not ends of lines, not more of a hash than tells it from another. */
function shown(command: string, { said, status }: Ran): string[] {
  const lines = said
    .replaceAll(/\x1b\[[0-9;]*m/g, '')
    .replaceAll(/#([0-9a-f]{8})[0-9a-f]{56}/g, '#$1…')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => !/\bapt(-get)?\b/.test(command) || line.startsWith('redis-agent:'));
  while (lines.at(-1) === '') lines.pop();
  return status === 0 ? lines : [...lines, `# exit status ${status}`];
}

/** Of what a command prints, what is the same each time. */
function lasting(lines: readonly string[]): string {
  return (
    lines
      .join('\n')
      .replaceAll(/\d{8}T\d{6}Z-[0-9a-f]{4}/g, 'ID')
      .replaceAll(/\d{8}T\d{6,9}Z/g, 'TIME')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)?/g, 'TIME')
      .replaceAll(/#[0-9a-f]{8}…/g, 'HASH')
      .replaceAll(/age1[0-9a-z]{50,}/g, 'RECIPIENT')
      // A BGSAVE that took more than 10 ms is told, and one that did not is not.
      .replaceAll(/^info +\d+ slow commands? in .*\n?/gm, '')
      // What comes next depends on the time of day.
      .replaceAll(/^next .*(?:\n {5,}.*)*/gm, 'next')
      .replaceAll(/\b\d+(?:\.\d+)?(?: ?(?:ms|[smhd]|min|[KMG]iB|B|bytes|%|s ago))?(?![\w.])/g, 'N')
      .replaceAll(/N(?: N)+/g, 'N')
      .replaceAll(/─+|━+|=+|-{3,}/g, '-')
      .replaceAll(/\s+/g, ' ')
      .trim()
  );
}

let failed = 0;
function tell(what: string, problem?: string): void {
  console.log(`${problem === undefined ? 'ok     ' : 'FAILED '} ${what}`);
  if (problem === undefined) return;
  failed++;
  console.log(problem.replaceAll(/^/gm, '        '));
}

function hidden(kind: string, seconds: string, command: string): void {
  const until = Date.now() + (kind === 'within' ? Number(seconds) * 1000 : 0);
  let done = asRoot(command);
  while (done.status !== 0 && Date.now() < until) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    done = asRoot(command);
  }
  if (done.status !== 0) tell(command, done.said);
}

const lines = readFileSync(page, 'utf8').split('\n');
const written: string[] = [];
let yaml: string[] = [];
for (let at = 0; at < lines.length; at++) {
  const line = lines[at] ?? '';
  written.push(line);
  const [, kind = '', seconds = '', secret] = /^<!-- (run|within)(?: (\d+))?: (.*) -->$/.exec(line) ?? [];
  if (secret !== undefined) hidden(kind, seconds, secret);
  if (line === '```yaml') {
    yaml = lines.slice(at + 1, lines.indexOf('```', at + 1));
    writeFileSync(pasted, `${yaml.join('\n')}\n`);
  }
  const [, first] = /^ {4}\$ (.*)$/.exec(line) ?? [];
  if (first === undefined) continue;
  const command = [first];
  while (lines[at + 1]?.startsWith('    > ') === true) {
    at++;
    const more = lines[at] ?? '';
    written.push(more);
    command.push(more.slice(6));
  }
  const old: string[] = [];
  while (lines[at + 1]?.startsWith('    ') === true && !/^ {4}\$ /.test(lines[at + 1] ?? '')) {
    at++;
    old.push((lines[at] ?? '').slice(4));
  }
  const text = command.join('\n');
  const done = asPerson(text);
  writeFileSync(last, done.said);
  const now = shown(text, done);
  written.push(...now.map((each) => (each === '' ? '    ' : `    ${each}`)));
  const [before, after] = [lasting(old), lasting(now)];
  tell(
    first,
    before === after ? undefined : `the page says:\n${old.join('\n')}\nit printed:\n${now.join('\n')}`,
  );
}
writeFileSync(`${page}.new`, `${written.join('\n').trimEnd()}\n`);
process.exit(failed === 0 ? 0 : 1);
