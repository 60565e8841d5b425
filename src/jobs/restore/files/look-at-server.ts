import type { RestoreFacts } from '../../../backup/restore/facts.ts';
import { outputPath } from '../../../backup/restore/host/local-host.ts';
import { gatherFacts } from '../../../backup/restore/gather-facts.ts';
import type { DataFolder } from '../../../backup/restore/folder/data-folder.ts';
import type { Journal } from '../../../backup/restore/journal.ts';
import { flagOf, type Guard } from '../../../backup/restore/judge-guards.ts';
import type { LoadReport } from '../../../backup/restore/judge-load.ts';
import { nextPersistence, type RestorePlan, type UndoPlan } from '../../../backup/restore/plan-restore.ts';
import { startFolder } from '../../../backup/restore/start-folder.ts';
import { requireServiceUser } from '../../../backup/restore/require-owner.ts';
import { cannotWrite } from '../../../backup/restore/require-place.ts';
import type { StopNotice } from '../../../backup/restore/stop-notice.ts';
import { AgentError } from '../../../domain/errors.ts';
import { noticesOf, type RestoreRun } from './steps.ts';
import type { JobContext } from '../../job.ts';
import type { LocalBackup } from '../../local/describe-local.ts';
import { endServer } from './server.ts';

export interface RestoreOptions {
  /** A backup id or `latest`; of a local one its id, which is its path. */
  which: string;
  local?: LocalBackup | undefined;
  /** Put back what the last restore has set aside, instead. */
  undo: boolean;
  /** Only plan. */
  dryRun: boolean;
  /** Prove it again, although these very bytes were loaded before. */
  proveAgain?: boolean;
  /** Names of guards that are insisted on. */
  allow: readonly string[];
  /** Told when a step begins, and before each move of files. */
  onStep?: (step: string) => void | Promise<void>;
}

export interface RestoreReport {
  instance: string;
  /** finished: an interrupted one was brought to its end; rolled-back: or was taken back, as asked. */
  outcome: 'planned' | 'restored' | 'undone' | 'finished' | 'rolled-back';
  /** What was found of an interrupted run, and what becomes of it. */
  interrupted: string | null;
  plan: RestorePlan | null;
  undo: UndoPlan | null;
  /** How far the backup was proven before anything was touched. */
  proven: string | null;
  load: LoadReport | null;
  set_aside: string[];
  duration_seconds: number;
  /** Of the steps that this run has made. */
  seconds: Record<string, number>;
}

/** The server, its files and what an earlier run has left. */
export interface RestoreTarget {
  facts: RestoreFacts;
  persistence: NonNullable<ReturnType<typeof nextPersistence>>;
  run: RestoreRun;
  /** Is it known how it is stopped and started? */
  isManaged: boolean;
  interrupted: Journal | undefined;
  /** Is there an AOF in its place? */
  hasAof: boolean;
}

/** Looks at an instance with all that a restore has to know. Changes nothing. */
export async function lookAtServer(
  context: JobContext,
  { onStep = () => {} }: RestoreOptions,
): Promise<RestoreTarget> {
  const { instance, clock, signal, host } = context;
  const facts = await gatherFacts({ instance, host, connect: () => context.connect(), clock, signal });
  const next = nextPersistence(facts);
  if (next === undefined) throw unknownPlace(facts, noticesOf(context).read());
  const { folder, interrupted, hasAof } = await lookInto(context, next, facts);
  const control = host.control({
    dir: folder.dir,
    user: folder.ownership.owner,
    readOutput: () => folder.outputOf(outputPath).catch(() => ''),
    end: () => endServer(context, folder.dir),
    startIn: () => startIn(facts, folder.dir),
  });
  const run: RestoreRun = {
    context,
    folder,
    service: control ?? nobody,
    logfile: next.logfile === '' ? null : next.logfile,
    onStep,
    begun: [],
    inTheWay: [],
  };
  return {
    facts,
    persistence: { ...next, dir: folder.dir },
    run,
    isManaged: control !== undefined,
    interrupted,
    hasAof,
  };
}

function unknownPlace({ instance, conf }: RestoreFacts, stopped: StopNotice | undefined): AgentError {
  if (stopped !== undefined) return cutOff(stopped, instance);
  const [why, hint] =
    conf === undefined
      ? [
          'no configuration of it is known',
          'start it, even empty; or set service: of this instance to its systemd unit or to its start command',
        ]
      : [
          `${conf.persistence.dir === undefined ? 'no dir' : `dir ${conf.persistence.dir}`} in its configuration counts from where it is started`,
          'start it from there, even empty; or write the absolute dir into its configuration',
        ];
  return new AgentError(
    'failed',
    `nothing tells where ${instance} keeps its data: it does not answer, and ${why}`,
    { reason: 'unknown', hint },
  );
}

/** Of a server that nobody manages: what it was started by is known to the run that has stopped it, and is not acted upon. */
function cutOff(
  { kind, backup, started_at: started, dir, service }: StopNotice,
  instance: string,
): AgentError {
  const what = kind === 'undo' ? 'an undo of the restore' : 'a restore';
  return new AgentError(
    'failed',
    `${what} of ${backup}, begun ${started}, has stopped ${instance} and was cut off; nothing is lost, and what lies in ${dir} is whole`,
    {
      reason: 'unknown',
      hint: `start the server as before, by ${service}, as the user that it runs as; then run the same command again`,
    },
  );
}

/** A `dir` that is nowhere in the configuration is where the server was started, too. */
function startIn({ conf, instance }: RestoreFacts, dir: string): string {
  const written = conf === undefined ? '/' : (conf.persistence.dir ?? '.');
  const folder = startFolder(written, dir);
  if (folder !== undefined) return folder;
  throw new AgentError(
    'refused',
    `${instance} is configured with dir ${written}, and nothing tells from where it is started so that this is ${dir}`,
    { reason: 'relative', hint: 'write an absolute dir: redis-cli CONFIG REWRITE does it' },
  );
}

async function lookInto(
  { host }: JobContext,
  { dir, dbfilename, appendfilename, appenddirname }: RestoreTarget['persistence'],
  facts: RestoreFacts,
): Promise<{ folder: DataFolder } & Pick<RestoreTarget, 'interrupted' | 'hasAof'>> {
  const names = { dump: dbfilename, aofFile: appendfilename, aofDir: appenddirname };
  if (host.actsForOthers) requireServiceUser(facts);
  try {
    const folder = await host.openFolder(dir, { authority: 'rdb', names });
    const { aofFile, aofDir } = await folder.lookAtFiles(names);
    return { folder, interrupted: await folder.readJournal(), hasAof: aofFile || aofDir };
  } catch (error) {
    throw error instanceof AgentError ? error : cannotWrite(dir, error, !host.actsForOthers);
  }
}

/** Stands in until requireService or a guard has refused. */
const nobody: RestoreRun['service'] = {
  description: 'nobody',
  stop: () => Promise.reject(unmanaged()),
  start: () => Promise.reject(unmanaged()),
  failure: async () => undefined,
  output: async () => [],
  async release() {},
};

function unmanaged(): AgentError {
  return new AgentError('refused', 'nothing says how this server is stopped and started', {
    reason: 'service',
    hint: 'set service: of this instance, to its systemd unit or to { start: [PROGRAM, …] }; by a command only root restores: sudo redis-agent restore',
  });
}

export function requireService({ isManaged }: RestoreTarget): void {
  if (!isManaged) throw unmanaged();
}

/** Throws when a guard stands that was not insisted on; names all of them at once. */
export function refuse(guards: readonly Guard[], allow: readonly string[]): void {
  const standing = guards.filter(({ name, allowable }) => !allowable || !allow.includes(name));
  if (standing.length === 0) return;
  const flags = standing.filter(({ allowable }) => allowable).map(({ name }) => flagOf(name));
  const insist = flags.length < standing.length ? '' : `; to insist: ${flags.join(' ')}`;
  throw new AgentError('refused', standing.map(({ why }) => why).join('; and '), {
    reason: standing[0]?.name ?? 'guard',
    hint: `${standing.map(({ instead }) => instead).join('; ')}${insist}`,
  });
}
