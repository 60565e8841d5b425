import { totalKeys, type BackupKind, type Engine, type Manifest } from '../../domain/backup.ts';
import type { RestoreEstimate } from '../../domain/drill.ts';
import type { ConfFacts, Persistence, RestoreFacts } from './facts.ts';
import { judgeGuards, judgeServer, type Guard } from './judge-guards.ts';
import type { Method } from './choose-method.ts';
import type { Journal } from './journal.ts';
import type { Authority, Layout } from './layout.ts';
import { counted, verb } from '../../lib/text/counted.ts';

/** One of the things that are done, in order, and why or how. */
export interface PlanStep {
  step: string;
  why: string;
}

/** What a restore will do and why, by whichever method; `--dry-run` prints it, and the restore goes by it. */
export interface Plan {
  method: Method;
  why: string;
  backup: string;
  /** Times as in the manifest. */
  snapshot_at: string;
  age_seconds: number;
  keys: number;
  bytes: number;
  /** Which version will load it, as far as one can see. */
  server: string;
  lost: string;
  /** How long it should take, of a live one without the backup before it; null when no drill has shown it. */
  expected: RestoreEstimate | null;
  steps: PlanStep[];
  notes: string[];
  guards: Guard[];
}

/** Of a restore that places files. */
export interface RestorePlan extends Plan {
  method: 'files';
  /** Absolute. */
  dir: string;
  layout: Layout;
  /** The server's own log file; null when it writes to standard output. */
  logfile: string | null;
  /** Must the running server save before it is stopped, so that its data can be set aside? */
  save: boolean;
  /** Where the data is now, which is set aside. */
  source: 'rdb' | 'aof';
}

/** As in the servers' own config.c. */
const defaults: Omit<Persistence, 'dir'> = {
  dbfilename: 'dump.rdb',
  appendonly: false,
  appendfilename: 'appendonly.aof',
  appenddirname: 'appendonlydir',
  logfile: '',
};

/** What the next start will go by: its configuration file where we know it, else what the running server says. */
export function nextPersistence({
  running,
  conf,
}: Pick<RestoreFacts, 'conf'> & { running: { persistence: Persistence } | undefined }):
  | Persistence
  | undefined {
  const now = running?.persistence;
  if (conf === undefined) return now;
  // A relative one was resolved by the server that runs; otherwise it counts from where we cannot know.
  const written = conf.persistence.dir;
  const dir = written?.startsWith('/') === true ? written : now?.dir;
  return dir === undefined ? undefined : { ...defaults, ...conf.persistence, dir };
}

export interface PlanInput {
  facts: RestoreFacts;
  manifest: Manifest;
  /** Was it asked for as `latest`? */
  latest: boolean;
  /** Older than this, `latest` is refused. Milliseconds. */
  staleAfter: number;
  /** Should it be encrypted, since backups of this repository are? */
  encrypts: boolean;
  /** Where the data files are, from nextPersistence, with the symbolic links of `dir` resolved. */
  persistence: Persistence;
  /** Is there an AOF in its place? */
  hasAof: boolean;
  /** When and by what these very bytes were loaded before, for people; undefined where that is not known or does not count. */
  before?: string | undefined;
  expected?: RestoreEstimate | null;
}

export function planRestore(input: PlanInput): RestorePlan {
  const { facts, manifest, persistence } = input;
  const server = serverOf(facts, manifest);
  const layout = layoutOf(persistence, server);
  const source = sourceOf(input, layout.authority);
  const snapshotAt = Date.parse(manifest.snapshot_at);
  const save = needsSave(facts, source);
  return {
    method: 'files',
    why: 'files are placed while the server is down: it works from any backup, and on a server that is down already',
    backup: manifest.id,
    snapshot_at: manifest.snapshot_at,
    age_seconds: Math.max(0, Math.round((facts.now - snapshotAt) / 1000)),
    keys: totalKeys(manifest.keyspace.databases),
    bytes: manifest.artefacts[0]?.plain.bytes ?? 0,
    dir: persistence.dir,
    layout,
    logfile: persistence.logfile === '' ? null : persistence.logfile,
    server: `${server.engine} ${server.version}`,
    save,
    source,
    lost: `everything written since ${manifest.snapshot_at}; what is there now is set aside and can be put back`,
    expected: input.expected ?? null,
    steps: stepsOf(facts, { layout, persistence, save, kind: manifest.kind, before: input.before }),
    notes: notesOf(facts, persistence),
    guards: judgeGuards({ ...input, server }),
  };
}

/** What an undo will do. */
export interface UndoPlan {
  /** The backup that is taken back, and when it was restored. */
  backup: string;
  restored_at: string;
  dir: string;
  layout: Layout;
  /** Paths of what is put back. */
  puts_back: string[];
  save: boolean;
  source: 'rdb' | 'aof';
  guards: Guard[];
}

/** The plan for putting back what `last` has set aside. */
export function planUndo({
  facts,
  persistence,
  last,
  hasAof,
}: Pick<PlanInput, 'facts' | 'persistence' | 'hasAof'> & { last: Journal }): UndoPlan {
  const server = facts.program ??
    facts.running ?? { engine: 'redis' as const, version: last.layout.authority === 'single' ? '6' : '7' };
  const layout = layoutOf(persistence, server);
  const source = sourceOf({ facts, hasAof }, layout.authority);
  return {
    backup: last.backup,
    restored_at: last.started_at,
    dir: persistence.dir,
    layout,
    puts_back: Object.values(last.kept).map((name) => `${persistence.dir}/${name}`),
    save: needsSave(facts, source),
    source,
    guards: [...judgeServer(facts, persistence), ...judgeForm(last, layout)],
  };
}

/** An AOF can only be put back where the next start reads one. */
function judgeForm(last: Journal, { authority }: Layout): Guard[] {
  if (last.source === 'rdb' || authority !== 'rdb') return [];
  return [
    {
      name: 'aof-off',
      allowable: false,
      why: 'the data that was set aside is an AOF, and the next start reads none',
      instead: 'set appendonly yes in its configuration first',
    },
  ];
}

/** The version that will start: the program's, else the running server's, else the one that the backup came from. */
function serverOf(
  { program, running }: RestoreFacts,
  manifest: Manifest,
): { engine: Engine; version: string } {
  const { engine, version } = program ?? running ?? manifest.server;
  return { engine, version };
}

function needsSave({ running }: RestoreFacts, source: 'rdb' | 'aof'): boolean {
  return running !== undefined && source === 'rdb' && running.unsaved > 0;
}

/** Which of the files a server of that version starts from. */
export function layoutOf(persistence: Persistence, server: { engine: Engine; version: string }): Layout {
  const { dbfilename, appendfilename, appenddirname } = persistence;
  return {
    authority: authorityOf(persistence, server),
    names: { dump: dbfilename, aofFile: appendfilename, aofDir: appenddirname },
  };
}

function authorityOf({ appendonly }: Persistence, server: { engine: Engine; version: string }): Authority {
  if (!appendonly) return 'rdb';
  return server.engine === 'valkey' || Number.parseInt(server.version, 10) >= 7 ? 'multi' : 'single';
}

/** A server with its AOF on keeps its data there; one that is down had it where its next start would look. */
function sourceOf(
  { facts, hasAof }: Pick<PlanInput, 'facts' | 'hasAof'>,
  authority: Authority,
): 'rdb' | 'aof' {
  if (authority === 'rdb') return 'rdb';
  return (facts.running?.persistence.appendonly ?? hasAof) ? 'aof' : 'rdb';
}

interface StepInput {
  layout: Layout;
  persistence: Persistence;
  save: boolean;
  kind: BackupKind;
  before: string | undefined;
}

function stepsOf(
  { running, service = 'nobody knows how' }: RestoreFacts,
  { layout, persistence, save, kind, before }: StepInput,
): PlanStep[] {
  const { dir } = persistence;
  const proof = kind === 'rdb' ? 'SHA-256' : 'SHA-256 and framing';
  return [
    step('stage', `fetch and decode into ${dir}, on the file system of the data; ${proof}`),
    ...(kind === 'aof' && layout.authority === 'rdb'
      ? [step('convert', 'loaded into a scratch server, which saves a dump: the next start reads no AOF')]
      : []),
    step('verify', proofOf(kind === 'aof' && layout.authority === 'rdb' ? undefined : before, kind)),
    ...(save
      ? [
          step(
            'save',
            `BGSAVE, so that ${counted(running?.unsaved ?? 0, 'change')} since the last one ${verb(running?.unsaved ?? 0, 'is', 'are')} set aside too`,
          ),
        ]
      : []),
    step('stop', running === undefined ? `it does not answer; ${service} is kept from starting it` : service),
    step('place', placeOf(layout, dir, kind)),
    step('start', service),
    step('compare', 'keys loaded, against the manifest; else all goes back'),
  ];
}

function proofOf(before: string | undefined, kind: BackupKind): string {
  if (before !== undefined)
    return `${before}; the same bytes, by their SHA-256 (--prove-again loads them again)`;
  const loading = 'loaded into a scratch server where memory allows';
  const tool = "the server's own check tool";
  return kind === 'rdb' ? `${loading}, else ${tool}` : `${tool}; ${loading}`;
}

function placeOf({ authority, names }: Layout, dir: string, kind: BackupKind): string {
  if (kind === 'aof' && authority !== 'rdb')
    return authority === 'multi'
      ? `${dir}/${names.aofDir}, all files of the set and their manifest`
      : `${dir}/${names.aofFile}`;
  const places: Record<Authority, string> = {
    rdb: `${dir}/${names.dump}: the AOF is off`,
    single: `${dir}/${names.aofFile}, as an RDB in the AOF's place, and ${names.dump}: the AOF is on`,
    multi: `${dir}/${names.aofDir}, as base file and manifest, and ${names.dump}: the AOF is on`,
  };
  return places[authority];
}

function step(name: string, why: string): PlanStep {
  return { step: name, why };
}

function notesOf({ running, conf, confProblem }: RestoreFacts, next: Persistence): string[] {
  const notes: string[] = [];
  const now = running?.persistence;
  if (confProblem !== undefined) notes.push(`${confProblem}; going by what the running server says`);
  if (conf?.file === undefined && running !== undefined && confProblem === undefined)
    notes.push('no configuration file is known: the next start is taken to be as the running server is');
  for (const name of ['dir', 'dbfilename', 'appendfilename', 'appenddirname'] as const)
    if (now !== undefined && now[name] !== next[name])
      notes.push(
        `${name} is ${now[name]} now, and ${next[name]} after the restart (${fileOf(conf)}): placed for that`,
      );
  if (now !== undefined && now.appendonly !== next.appendonly)
    notes.push(
      `appendonly is ${onOff(now.appendonly)} now, and ${onOff(next.appendonly)} after the restart (${fileOf(conf)}): placed for that`,
    );
  if (running !== undefined && running.sentinels === undefined)
    notes.push('whether a Sentinel watches cannot be seen: grant +pubsub|numsub');
  return notes;
}

function fileOf(conf: ConfFacts | undefined): string {
  return conf?.file ?? 'its command line';
}

function onOff(value: boolean): string {
  return value ? 'yes' : 'no';
}
