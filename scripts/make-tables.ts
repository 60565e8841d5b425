/**
 * Makes the tables of directives and commands from the servers that scripts/fetch-servers has fetched:
 *
 *   scripts/node scripts/make-tables.ts [directives|commands]
 *
 * src/formats/conf/directives.json: every directive of every server with type, range, arity, default, and whether it can
 * be changed at run time; types, ranges and arity are what the server's own parser says to good and bad lines, defaults
 * what CONFIG GET says. src/formats/acl/commands.json: every command with its ACL categories and arity. Takes some minutes.
 */
import { writeFileSync } from 'node:fs';
import { compareVersions } from '../src/formats/conf/engine.ts';
import { startServer } from '../test/support/servers/redis-server.ts';
import { serverBuilds } from '../test/support/servers/server-builds.ts';
import { probeCommands } from './tables/probe-commands.ts';
import { probeDirectives } from './tables/probe-directives.ts';

const [only] = process.argv.slice(2);
const builds = serverBuilds().toSorted((a, b) =>
  a.engine < b.engine ? -1 : a.engine > b.engine ? 1 : compareVersions(a.version, b.version),
);
const names = builds.map(({ engine, version }) => `${engine}-${version}`);

interface Variant {
  on: number[];
  text: string;
}
const directives = new Map<string, Variant[]>();
const commands = new Map<string, Variant[]>();

function note(table: Map<string, Variant[]>, name: string, text: string, build: number): void {
  const variants = table.get(name) ?? [];
  table.set(name, variants);
  const same = variants.find((variant) => variant.text === text);
  if (same === undefined) variants.push({ on: [build], text });
  else same.on.push(build);
}

for (const [at, build] of builds.entries()) {
  await using server = await startServer({ build });
  if (only !== 'commands')
    for (const [name, probed] of await probeDirectives(build, server))
      note(directives, name, JSON.stringify(probed), at);
  if (only !== 'directives')
    for (const [name, categories] of await probeCommands(server)) note(commands, name, categories, at);
  console.log(`${names[at]}: ${directives.size} directives, ${commands.size} commands so far`);
}

/** One line an entry, so that a change shows as one. */
function render(table: Map<string, Variant[]>, field: (text: string) => object): string {
  const lines = [...table.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, variants]) => {
      const entries = variants.map(({ on, text }) => ({ on, ...field(text) }));
      return `    ${JSON.stringify(name)}: ${JSON.stringify(entries)}`;
    });
  return `{\n  "servers": ${JSON.stringify(names)},\n  "entries": {\n${lines.join(',\n')}\n  }\n}\n`;
}

if (only !== 'commands')
  writeFileSync(
    'src/formats/conf/directives.json',
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made above
    render(directives, (text) => JSON.parse(text) as object),
  );
if (only !== 'directives')
  writeFileSync(
    'src/formats/acl/commands.json',
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by probeCommands
    render(commands, (text) => JSON.parse(text) as object),
  );
