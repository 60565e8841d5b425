import { posix } from 'node:path';
import { reach, type SourceFile, type SourceTree } from './source-tree.ts';

/** Rooms from the ground up: a file imports from ranks below its own and from its own room, never sideways or up. */
const ranks: readonly (readonly string[])[] = [
  ['domain', 'lib'],
  ['formats', 'state'],
  ['redis'],
  ['monitor', 'harden', 'backup', 'keyspace', 'alert', 'maintain', 'report'],
  ['config', 'jobs'],
  ['app'],
  ['cli'],
  ['main'],
];

/** The one way sideways: general code speaks of errors and clocks in the domain's words. */
const sideways = new Set(['lib → domain']);

/** The subjects of jobs/, from the ground up, under the same rule. */
const subjects: readonly (readonly string[])[] = [
  ['job'],
  ['prove'],
  ['aof', 'drill', 'fetch', 'harden', 'maintain'],
  ['backup', 'local'],
  ['keys', 'restore'],
  ['index'],
];

/** Rooms whose folders are steps of one flow and do not know one another. */
const stepRooms = new Set(['monitor', 'harden', 'backup']);
/** A port that steps may name as a type: they are handed what is behind it. */
const ports = new Set(['backup/store/store.ts']);

/** Decides from its arguments alone: no node:*, no package, no state, no clock, in the file or in what it runs. */
const pure: readonly RegExp[] = [
  /^domain\//,
  /^formats\//,
  /^keyspace\//,
  /^backup\/prune\//,
  /^backup\/drill\//,
  /^monitor\/evaluate\//,
  /^harden\/(?:audit|plan)\//,
  /^alert\/(?:engine|message)\//,
  /^maintain\/calendar\.ts$/,
  /^report\/model\//,
  /(?:^|\/)judge-[^/]*\.ts$/,
];
/** Node's own zstd is a computation, and there is no other. */
const computations: readonly { in: RegExp; modules: RegExp }[] = [
  { in: /^formats\/zstd\//, modules: /^node:(?:zlib|util|stream|stream\/promises)$/ },
];
const impureCalls =
  /\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bMath\.random\(|\bprocess\.|\bset(?:Timeout|Interval)\(/;

/** Folders whose index.ts names every file beside it. */
const plugInFolders: readonly { folder: string; required: boolean }[] = [
  { folder: 'cli/commands', required: true },
  { folder: 'config/sections', required: false },
  { folder: 'jobs', required: false },
  { folder: 'monitor/collect', required: false },
  { folder: 'monitor/evaluate/rules', required: false },
];

/** Packages that take tens of milliseconds to load: only what needs them pays. */
const heavyPackages = /^(?:@aws-sdk\/|@smithy\/|age-encryption|ioredis|zod|pino)/;

/** ES modules. Of a CommonJS package, import() in the bundle gives only the default: a file of ours has to load it. */
const lazyPackages = /^age-encryption$/;

const longestFile = 300;

const roomOf = (path: string): string => path.split('/')[0]?.replace(/\.ts$/, '') ?? '';
const stepOf = (path: string): string | undefined =>
  path.split('/').length > 2 ? path.split('/')[1] : undefined;
const rankOf = (path: string): number => ranks.findIndex((rooms) => rooms.includes(roomOf(path)));

/** Every way in which the tree breaks the rules of the house, one line each. */
export function violations(tree: SourceTree): string[] {
  const files = [...tree.values()];
  return [
    ...files.flatMap(rankViolations),
    ...files.flatMap(stepViolations),
    ...files.flatMap(subjectViolations),
    ...files.flatMap((file) => pureViolations(tree, file)),
    ...cycles(tree),
    ...plugInFolders.flatMap((rule) => plugInViolations(tree, rule)),
    ...startViolations(tree),
    ...files.flatMap(shapeViolations),
  ];
}

function rankViolations({ path, imports }: SourceFile): string[] {
  const room = roomOf(path);
  const rank = rankOf(path);
  if (rank < 0) return [`${path}: ${room} is no room of the house`];
  return imports.flatMap(({ target }) => {
    if (target === undefined || target.startsWith('..')) return [];
    const other = roomOf(target);
    if (other === room || rankOf(target) < rank || sideways.has(`${room} → ${other}`)) return [];
    return [`${path}: ${room} imports ${target}, which is not below it`];
  });
}

function stepViolations({ path, imports }: SourceFile): string[] {
  const room = roomOf(path);
  const step = stepOf(path);
  if (!stepRooms.has(room) || step === undefined) return [];
  return imports.flatMap(({ target, typeOnly }) => {
    if (target === undefined || roomOf(target) !== room) return [];
    const other = stepOf(target);
    if (other === undefined || other === step || (typeOnly && ports.has(target))) return [];
    return [`${path}: step ${step} imports ${target} of another step`];
  });
}

const subjectOf = (path: string): string => path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
const subjectRank = (path: string): number => subjects.findIndex((names) => names.includes(subjectOf(path)));

function subjectViolations({ path, imports }: SourceFile): string[] {
  if (roomOf(path) !== 'jobs') return [];
  const rank = subjectRank(path);
  if (rank < 0) return [`${path}: ${subjectOf(path)} is no subject of jobs`];
  return imports.flatMap(({ target }) => {
    if (target === undefined || roomOf(target) !== 'jobs') return [];
    if (subjectOf(target) === subjectOf(path) || subjectRank(target) < rank) return [];
    return [`${path}: subject ${subjectOf(path)} imports ${target}, which is not below it`];
  });
}

const isPure = (path: string): boolean => pure.some((place) => place.test(path));

function pureViolations(tree: SourceTree, { path }: SourceFile): string[] {
  if (!isPure(path)) return [];
  return reach(tree, path, ({ typeOnly }) => !typeOnly).flatMap((file) => {
    const via = file.path === path ? '' : ` (by ${file.path})`;
    const allowed = computations.find((rule) => rule.in.test(file.path))?.modules;
    const impure = file.imports
      .filter(
        ({ target, typeOnly, specifier }) => target === undefined && !typeOnly && !allowed?.test(specifier),
      )
      .map(({ specifier }) => `${path}: is pure, and imports ${specifier}${via}`);
    if (roomOf(file.path) === 'state') impure.push(`${path}: is pure, and uses state${via}`);
    const call = impureCalls.exec(file.text)?.[0];
    return call === undefined ? impure : [...impure, `${path}: is pure, and calls ${call}${via}`];
  });
}

/** One line for each knot; type imports and lazy ones count, they tie a knot all the same. */
function cycles(tree: SourceTree): string[] {
  const knotted = new Set<string>();
  return [...tree.keys()].flatMap((start) => {
    if (knotted.has(start)) return [];
    const way = wayBack(tree, start);
    way.forEach((path) => knotted.add(path));
    return way.length === 0 ? [] : [`cycle: ${[...way, start].join(' → ')}`];
  });
}

/** The shortest way from a file through its imports back to itself, without the last step; empty when there is none. */
function wayBack(tree: SourceTree, start: string): string[] {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const { target } of tree.get(way.at(-1) ?? start)?.imports ?? []) {
      if (target === start) return way;
      if (target === undefined || seen.has(target)) continue;
      seen.add(target);
      ways.push([...way, target]);
    }
  }
  return [];
}

function plugInViolations(tree: SourceTree, { folder, required }: (typeof plugInFolders)[number]): string[] {
  const siblings = [...tree.keys()].filter((path) => posix.dirname(path) === folder);
  const index = tree.get(`${folder}/index.ts`);
  if (index === undefined) return required ? [`${folder}/index.ts: is missing`] : [];
  const named = new Set(index.imports.map(({ target }) => target));
  return siblings
    .filter((path) => path !== index.path && !named.has(path))
    .map((path) => `${index.path}: does not name ${path}`);
}

/** What every command loads: main.ts, and the first thing it imports lazily. */
function startViolations(tree: SourceTree): string[] {
  return ['main.ts', 'cli/run.ts'].flatMap((start) =>
    reach(tree, start, ({ typeOnly, lazy }) => !typeOnly && !lazy).flatMap((file) =>
      file.imports
        .filter(({ specifier, typeOnly, lazy }) => !typeOnly && !lazy && heavyPackages.test(specifier))
        .map(({ specifier }) => `${start}: loads ${specifier} at start (by ${file.path})`),
    ),
  );
}

function shapeViolations({ path, text, imports }: SourceFile): string[] {
  const lines = text.split('\n').length - 1;
  const unbundled = imports.filter(
    ({ target, lazy, typeOnly, specifier }) =>
      specifier !== '' && target === undefined && lazy && !typeOnly && !lazyPackages.test(specifier),
  );
  const unreadable = imports.some(({ specifier }) => specifier === '');
  return [
    ...(lines > longestFile ? [`${path}: has ${lines} lines, more than ${longestFile}`] : []),
    ...unbundled.map(
      ({ specifier }) => `${path}: imports the package ${specifier} lazily, not through a file of ours`,
    ),
    ...(unreadable ? [`${path}: imports by a computed name, which no rule can follow`] : []),
  ];
}
