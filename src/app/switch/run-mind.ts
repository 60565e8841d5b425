import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket, type Server } from 'node:net';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { loadSettings, type LoadedSettings } from '../../config/load.ts';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Settings } from '../../domain/settings.ts';
import { readFirewall } from '../../harden/read/firewall.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { askedBy } from '../../lib/process/asked-by.ts';
import { confine } from '../../lib/process/confine.ts';
import { answerVerbs, type Verbs } from '../../lib/verbs/answer.ts';
import { ownerBesideRoot, requireReadable } from '../beside-root.ts';
import { mainFiles, rootFileVerbs } from '../conf/root-files.ts';
import { say } from '../units/say.ts';
import { recoverChangeCommand, recoverRestoresCommand, type SharedWork } from '../units/places.ts';
import { mindCommand } from './command.ts';
import { openFilled, type FilledFolder } from './filled-folder.ts';
import type { LeftFolder } from './left-folders.ts';
import { openPaths } from './lent-paths.ts';
import { switchDescriptor, switchLimits, type Handed, type MindTask } from './protocol.ts';
import { switchVerbs } from './switch-verbs.ts';
import { consumerVerbs, type Named } from './told-consumers.ts';
import { openWritten, type WrittenFile } from './written-file.ts';

export interface MindOptions {
  /** The command line, less the program. */
  argv: readonly string[];
  configPath: string | undefined;
  /** What is shared: a restore, a change of a server, or nothing but files that are named. */
  kind: SharedWork;
  /** Files, or folders of files, that who runs this may read, and the daemon's user perhaps not. */
  lend: readonly string[];
  /** One that he may write. */
  write: string | undefined;
  /** A folder that he may write in. */
  fill: string | undefined;
  /** Whom he has named that a new password is to be handed to. */
  tells: Named | undefined;
  /** What one leaves that was killed is ended by another one. */
  recovers: boolean;
  env: NodeJS.ProcessEnv;
  program: readonly string[];
  clock: Clock;
  /** First request to stop, and the second. */
  signal: AbortSignal;
  cut: AbortSignal;
}

/**
 * Where root runs a command beside a daemon that is not root: another process of this agent works, as the daemon's user, and
 * this one does for it what only root may. Resolves with its exit status; undefined where we are not root, or all is
 * root's, and who asked works himself.
 */
export async function runMind(options: MindOptions): Promise<number | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const { env, configPath, program, clock, signal, cut } = options;
  // A rule that is named and does not exist hinders no restore.
  const loaded = await loadSettings(configPath, { env });
  const owner = ownerBesideRoot(loaded.settings.state.path);
  if (owner === undefined) return undefined;
  requireReadable(owner);
  let child: ChildProcess | undefined;
  const { kind } = options;
  const root = switchVerbs({
    loaded,
    program,
    clock,
    signal: onward,
    async hand(number, socket) {
      if (child !== undefined) await handOver(child, number, socket);
    },
  });
  const { tells } = options;
  const verbs: Verbs = {
    ...(kind === 'files' ? { settings: root.verbs.settings } : root.verbs),
    ...(kind === 'apply' ? changeVerbs(loaded, clock, signal) : {}),
    ...(tells === undefined ? {} : consumerVerbs(tells, loaded.settings, signal)),
  };
  const lend = kind === 'apply' ? [...options.lend, ...adminFile(loaded.settings)] : options.lend;
  const work = async (task: MindOptions): Promise<unknown[]> => {
    using written = openWritten(task.write);
    using filled = openFilled(task.fill, owner);
    for (const left of filled?.left ?? []) say(leftText(filled?.path ?? '', left));
    child = startMind(task, owner, { written, filled });
    const channel = child.stdio[switchDescriptor];
    if (!(channel instanceof Socket)) throw new Error('a pipe was asked for');
    const exited = once(child, 'exit');
    const stop = forward(child, [signal, cut]);
    channel.on('error', () => {});
    const answered = answerVerbs({ input: channel, output: channel }, switchLimits, verbs).catch(() => {});
    try {
      const how: unknown[] = await exited;
      await answered;
      // Findings end with a status of their own, and are written; one that was ended by a signal has none, and may be amid it.
      if (how[0] === 0 || (how[0] !== null && written?.hasContent() === true)) written?.keep();
      if (how[0] === 0) filled?.keep();
      return how;
    } finally {
      stop();
    }
  };
  try {
    const [code, name] = await work({ ...options, lend });
    if (typeof code === 'number') return code;
    const down = await root.down();
    // Another one ends what it has left, if there is anything: a server is not to stay down for it, or a replica of nobody.
    const recovering = kind === 'apply' ? [recoverChangeCommand, ...options.argv] : [recoverRestoresCommand];
    const last = { ...options, argv: recovering, lend: kind === 'apply' ? lend : [] };
    if (options.recovers) await work({ ...last, write: undefined, fill: undefined });
    throw cutOff(options, String(name), { down, still: down.length === 0 ? [] : await root.down() });
  } finally {
    await root.close();
  }
}

/** For the person: what of a run that was killed was found. */
function leftText(path: string, { name, removed }: LeftFolder): string {
  const folder = join(path, name);
  return removed
    ? `${folder} was left by a run that was killed, and is removed`
    : `${folder} is left by a run that was killed: look at it, and remove it (rm -r)`;
}

/** In a session of its own: it has the terminal as its streams, and cannot type into it. */
function startMind(
  { argv, env, program, lend }: MindOptions,
  user: UserId,
  { written, filled }: { written: WrittenFile | undefined; filled: FilledFolder | undefined },
): ChildProcess {
  const [path = '', ...words] = program;
  const { files: opened, folders } = openPaths(lend);
  const files = written === undefined ? opened : [...opened, written];
  const fill = filled === undefined ? undefined : { path: filled.path, taken: filled.taken };
  const task: MindTask = { user, lent: files.map((each) => each.path), folders, fill };
  const lent = filled === undefined ? files : [...files, filled];
  const { command, args, detached } = confine(path, [...words, mindCommand, JSON.stringify(task), ...argv]);
  try {
    return spawn(command, args, {
      // It is not itself who asked.
      env: { ...env, SUDO_USER: askedBy(env) },
      detached,
      stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'ipc', ...lent.map(({ descriptor }) => descriptor)],
    });
  } finally {
    for (const { descriptor } of opened) closeSync(descriptor);
  }
}

/** What root does besides where a server is changed. */
// oxlint-disable-next-line typescript/explicit-function-return-type -- verbs, as they are
function changeVerbs(loaded: LoadedSettings, clock: Clock, signal: AbortSignal) {
  return {
    ...rootFileVerbs(mainFiles(loaded, { clock, unitsOnly: false })),
    firewall: async () => serialize(await readFirewall(signal)),
  };
}

/** That of the password of who may change servers, which nobody but root and one unit can read. */
function adminFile({ harden: { admin } }: Settings): string[] {
  return admin !== undefined && 'file' in admin.password ? [admin.password.file] : [];
}

/** What the terminal and others send to us, and it is to know. */
function forward(child: ChildProcess, [first, second]: [AbortSignal, AbortSignal]): () => void {
  const send = (name: NodeJS.Signals): void => void (child.exitCode === null && child.kill(name));
  const interrupt = (): void => send('SIGINT');
  const resize = (): void => send('SIGWINCH');
  first.addEventListener('abort', interrupt);
  second.addEventListener('abort', interrupt);
  process.on('SIGWINCH', resize);
  return () => {
    first.removeEventListener('abort', interrupt);
    second.removeEventListener('abort', interrupt);
    process.off('SIGWINCH', resize);
  };
}

/** Whoever has it next is told of it only then: bytes that we had read meanwhile would be lost. */
async function handOver(child: ChildProcess, handed: number, socket: Socket | Server): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.send({ handed } satisfies Handed, socket, { keepOpen: true }, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const closed = once(socket, 'close');
  if (socket instanceof Socket) socket.destroy();
  else socket.close();
  await closed;
}

/** Instances whose server was `down` then, and is `still`. */
function cutOff(
  { kind, recovers }: MindOptions,
  name: string,
  { down, still }: { down: readonly string[]; still: readonly string[] },
): AgentError {
  const stopped = down.length === 0 ? '' : `, and ${down.join(', ')} was down`;
  const since =
    down.length === 0 ? '' : still.length === 0 ? ': it is up again' : `, and ${still.join(', ')} is still`;
  const what =
    kind === 'files'
      ? { does: 'works', hint: 'nothing was written: run the same command again' }
      : kind === 'restore'
        ? {
            does: 'restores',
            hint: 'nothing is lost: run the same command again, and it goes on where it was; or redis-agent restore --undo, and it goes back',
          }
        : {
            does: 'changes the server',
            hint: recovers
              ? 'what it had begun was taken back, or noted where it was done: redis-agent harden history'
              : 'nothing is lost: run the same command again, and it goes on where it was',
          };
  return new AgentError('failed', `the process that ${what.does} was ended by ${name}${stopped}${since}`, {
    reason: 'killed',
    hint: `${what.hint}. The kernel ends processes when memory runs out: see dmesg`,
  });
}

/** What was asked for is done, whoever wishes to stop: the mind knows what may be left. */
const onward = new AbortController().signal;
