import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';

/** What the daemon tells systemd (sd_notify). Telling never fails: the daemon's work does not depend on it. */
export interface Notifier {
  /** Is anybody listening? */
  readonly available: boolean;
  /** systemd restarts the daemon when it hears no `watchdog` for this long, milliseconds; undefined: it does not. */
  readonly watchdogInterval: number | undefined;
  /** Started, or reloaded. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** A reload has begun; `ready` ends it. */
  reloading(): void;
  stopping(): void;
  /** Still alive. */
  watchdog(): void;
}

/**
 * Reads what systemd and notify-exec left in `env`, and takes it out again: a server that the agent starts must not
 * find it and speak for the daemon.
 *
 * Node has no datagram sockets of the unix family, so notify-exec (systemd/notify-exec.c) opens the socket and hands
 * it over as a descriptor. A unit without it needs NotifyAccess=all: then systemd-notify speaks for us.
 */
export function openNotifier(env: NodeJS.ProcessEnv): Notifier {
  const send = sender(env['REDIS_AGENT_NOTIFY_FD'], env['NOTIFY_SOCKET']);
  const watchdogInterval = send === undefined ? undefined : watchdogOf(env);
  for (const name of ['REDIS_AGENT_NOTIFY_FD', 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'])
    delete env[name];
  const tell = send ?? ((): void => {});
  return {
    available: send !== undefined,
    watchdogInterval,
    ready: () => tell(['READY=1']),
    status: (text) => tell([`STATUS=${text.replace(/\s+/g, ' ')}`]),
    // hrtime is CLOCK_MONOTONIC, which is what systemd compares with.
    reloading: () => tell(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
    stopping: () => tell(['STOPPING=1']),
    watchdog: () => tell(['WATCHDOG=1']),
  };
}

type Send = (assignments: string[]) => void;

function sender(fd: string | undefined, socket: string | undefined): Send | undefined {
  if (fd !== undefined && /^\d+$/.test(fd)) return descriptorSender(Number(fd));
  if (socket !== undefined && socket !== '') return commandSender(socket);
  return undefined;
}

function descriptorSender(fd: number): Send {
  return (assignments) => {
    try {
      writeSync(fd, assignments.join('\n'));
    } catch {
      // Nobody listens any more. What systemd does then, it does by its own deadlines.
    }
  };
}

/** Waits for the command, some milliseconds: two messages must arrive in order, and the last one before we end. */
function commandSender(socket: string): Send {
  return (assignments) => {
    spawnSync('systemd-notify', [`--pid=${process.pid}`, ...assignments], {
      env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: socket },
      stdio: 'ignore',
      timeout: 2000,
    });
  };
}

/** WATCHDOG_PID says which process systemd means; notify-exec keeps the pid. */
function watchdogOf(env: NodeJS.ProcessEnv): number | undefined {
  const usec = Number(env['WATCHDOG_USEC']);
  const forUs = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === process.pid;
  return forUs && usec > 0 ? usec / 1000 : undefined;
}
