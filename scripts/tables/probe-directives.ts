import { readFileSync, realpathSync } from 'node:fs';
import { firstRefusal } from '../../test/support/servers/first-refusal.ts';
import type { TestServer } from '../../test/support/servers/redis-server.ts';
import { defaultBuild, type ServerBuild } from '../../test/support/servers/server-builds.ts';
import { defaultDirectives } from '../../test/support/servers/server-config.ts';

/** What one server says of one directive. */
export interface ProbedDirective {
  /** As formats/conf/directive-table.ts has them. */
  type: string;
  values?: string[];
  min?: number;
  max?: number;
  /** Words after the name: as few and as many as the parser takes; none: any number. */
  arity: [number, number | null];
  default?: string;
  /** CONFIG SET takes it. */
  runtime: boolean;
}

/** Directives that CONFIG GET does not know, and that name files or commands: told from the source (config.c). */
const unlisted: Readonly<Record<string, [number, number | null]>> = {
  include: [1, 1],
  loadmodule: [1, null],
  'rename-command': [2, 2],
  user: [1, null],
  'list-max-ziplist-entries': [1, 1],
  'list-max-ziplist-value': [1, 1],
};
/** Takes groups of four words from 7.0 on, so that five are refused and eight are not. */
const inGroups = 'client-output-buffer-limit';

async function refused(build: ServerBuild, line: string): Promise<string | undefined> {
  const found = await firstRefusal(build, [line]);
  return found.line === 1 ? found.why : undefined;
}

/** Every directive of the running server, hidden ones too: their names stand in the program. */
export async function probeDirectives(
  build: ServerBuild,
  server: TestServer,
): Promise<Map<string, ProbedDirective>> {
  const listed = pairs(await server.call('CONFIG', 'GET', '*'));
  const text = readFileSync(realpathSync(build.server), 'latin1');
  const words = new Set(text.match(/(?<=\0)[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?=\0)/g) ?? []);
  for (const word of words) {
    if (listed.has(word)) continue;
    for (const [name, value] of pairs(await server.call('CONFIG', 'GET', word))) listed.set(name, value);
  }
  const found = new Map<string, ProbedDirective>();
  const names = [...listed.keys()].filter((name) => !Object.hasOwn(unlisted, name)).toSorted();
  const queue = names.values();
  await Promise.all(
    [1, 2, 3].map(async () => {
      for (const name of queue) {
        const probed = await probe(build, server, name, listed.get(name));
        if (probed !== undefined) found.set(name, probed);
      }
    }),
  );
  for (const [name, arity] of Object.entries(unlisted))
    found.set(name, { type: 'string', arity, runtime: false });
  await noteRefusedAnswers(build, found);
  return found;
}

/** What this build takes neither yes nor no for: Debian's has no active defragmentation. */
async function noteRefusedAnswers(build: ServerBuild, found: Map<string, ProbedDirective>): Promise<void> {
  for (const [answer, other] of [
    ['yes', 'no'],
    ['no', 'yes'],
  ] as const) {
    const names = [...found].flatMap(([name, { type }]) => (type === 'yes-no' ? [name] : []));
    for (;;) {
      const { line } = await firstRefusal(
        build,
        names.map((name) => `${name} ${answer}`),
      );
      const [name] = line === 0 ? [] : names.splice(line - 1, 1);
      const probed = name === undefined ? undefined : found.get(name);
      if (probed === undefined) break;
      probed.values = [other];
    }
  }
}

function pairs(reply: unknown): Map<string, string> {
  const list = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? '']] : [])));
}

async function probe(
  build: ServerBuild,
  server: TestServer,
  name: string,
  value: string | undefined,
): Promise<ProbedDirective | undefined> {
  const counts: number[] = [];
  const words = ['no', 'no', 'no', 'no', 'no', 'no'];
  for (const count of [0, 1, 2, 3, 4, 5]) {
    const why = await refused(build, [name, ...words.slice(0, count)].join(' '));
    if (why === undefined || !/wrong number of arguments/i.test(why)) counts.push(count);
  }
  if (counts.length === 0) return undefined;
  const bad = (await refused(build, `${name} ~`)) ?? '';
  const { values, type } = typeOf(bad, name);
  const range = type === 'integer' || type === 'memory' ? await rangeOf(build, name) : {};
  const runtime =
    value !== undefined &&
    !/immutable|can't set|protected/i.test(await answerOf(server, ['CONFIG', 'SET', name, value]));
  const least = counts[0] ?? 0;
  const most = counts.at(-1) ?? 0;
  return {
    type,
    ...(values === undefined ? {} : { values }),
    ...range,
    arity: [least, most === 5 || (name === inGroups && least === 0) ? null : most],
    ...(value === undefined || isLocal(name, value, server) ? {} : { default: knownDefaults[name] ?? value }),
    runtime,
  };
}

/** Of directives that the scratch server was given. */
const knownDefaults: Readonly<Record<string, string>> = { unixsocketperm: '0', 'enable-debug-command': 'no' };

/** Values that the scratch server was given: no defaults. */
const given = new Set([
  ...Object.keys(defaultDirectives(defaultBuild(), '/', 1)),
  'appendonly',
  'tls-port',
  'maxclients',
]);

function isLocal(name: string, value: string, server: TestServer): boolean {
  return (
    value.includes(server.dir) ||
    (given.has(name) && name !== 'unixsocketperm' && name !== 'enable-debug-command')
  );
}

function typeOf(why: string, name: string): { type: string; values?: string[] } {
  if (/must be 'yes' or 'no'/.test(why)) return { type: 'yes-no' };
  const values = /one of the following: (.*)$/.exec(why)?.[1];
  if (values !== undefined) return { type: 'enum', values: values.split(/,\s*/).filter(Boolean) };
  if (/memory or percent value/.test(why)) return { type: 'memory-or-percent' };
  if (/memory value/.test(why)) return { type: 'memory' };
  if (/octal/.test(why)) return { type: 'octal' };
  if (/parsed into an integer/.test(why) || /between -?\d+ and/.test(why)) return { type: 'integer' };
  return { type: /^save$/.test(name) ? 'save' : 'string' };
}

async function rangeOf(build: ServerBuild, name: string): Promise<{ min?: number; max?: number }> {
  for (const value of ['-9000000000000000000', '0', '9000000000000000000']) {
    const why = (await refused(build, `${name} ${value}`)) ?? '';
    const [, min, max] = /between (-?\d+) and (-?\d+)/.exec(why) ?? [];
    if (min !== undefined && max !== undefined) return { min: Number(min), max: Number(max) };
  }
  return {};
}

async function answerOf(server: TestServer, [command = '', ...words]: string[]): Promise<string> {
  return String(await server.call(command, ...words).catch((error: unknown) => error));
}
