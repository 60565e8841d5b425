import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import type { ServiceControl } from './service.ts';

/** What systemd says of a unit, by property; missing ones are empty. */
export type UnitProperties = ReadonlyMap<string, string>;

const properties = 'Id,LoadState,ActiveState,SubState,Result,TriggeredBy,ExecStart,User,Group';
const kept = 40;
/** Milliseconds in which a start that was asked for may not have begun. */
const settleTime = 5000;
const mostStops = 100;
/** Gone with the next boot, whatever becomes of us. */
const runtimeUnits = '/run/systemd/system';
/** Behind all others by name, which is what counts: `systemctl edit` makes an override.conf. */
const dropInName = 'zzzz-redis-agent-restore.conf';

/** Asks systemd about a unit; `LoadState` is `not-found` where there is none. Rejects where systemd does not answer. */
export async function showUnit(unit: string, signal: AbortSignal): Promise<UnitProperties> {
  const text = await systemctl(['show', `--property=${properties}`, '--', unit], signal);
  return new Map(
    text.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)] as const] : [];
    }),
  );
}

/** The words of `ExecStart=`, from systemd's `{ path=… ; argv[]=… ; … }`; empty when there is none. */
export function execStartOf(shown: UnitProperties): string[] {
  const argv = /\bargv\[\]=(.*?) ; /.exec(shown.get('ExecStart') ?? '')?.[1];
  return argv === undefined ? [] : argv.split(' ').filter(Boolean);
}

/**
 * A unit of the system's systemd. While it is stopped, a drop-in below /run keeps everything else from starting it: its
 * condition is that our process lives, so a killed agent holds nothing. While it starts, another one lifts systemd's
 * limit on the time of a start, since a large data set loads for minutes, and its restarts, which would hide why a
 * server does not come up.
 */
export function systemdService(unit: string, clock: Clock): ServiceControl {
  const dropIn = join(runtimeUnits, `${unit}.d`, dropInName);
  /** Wall time for the journal, and the same moment for intervals. */
  let since = 0;
  let asked = 0;
  let triggers: string[] = [];
  const write = async (text: string, signal: AbortSignal): Promise<void> => {
    mkdirSync(dirname(dropIn), { recursive: true, mode: 0o755 });
    writeFileSync(dropIn, `# redis-agent restores this server's data; gone when it is done.\n${text}`);
    await systemctl(['daemon-reload'], signal);
  };
  return {
    description: `the unit ${unit}`,
    async stop(signal) {
      await explained(unit, 'stop', async () => {
        triggers = (await showUnit(unit, signal)).get('TriggeredBy')?.split(' ').filter(Boolean) ?? [];
        await write(`[Unit]\nAssertPathExists=!/proc/${process.pid}\n[Service]\nRestart=no\n`, signal);
        await stopUntilDown([...triggers, unit], unit, signal);
      });
    },
    async start(signal) {
      await explained(unit, 'start', async () => {
        await write('[Service]\nRestart=no\nTimeoutStartSec=infinity\n', signal);
        // Of an earlier failure, and of starts that came too fast one after the other.
        await systemctl(['reset-failed', '--', unit], signal).catch(() => undefined);
        since = clock.now();
        asked = clock.monotonic();
        await systemctl(['start', '--no-block', '--', unit, ...triggers], signal);
      });
    },
    async failure() {
      const shown = await showUnit(unit, AbortSignal.timeout(10_000));
      const active = shown.get('ActiveState');
      if (active !== 'failed' && active !== 'inactive') return undefined;
      // Queued, and not begun yet.
      if (
        active === 'inactive' &&
        shown.get('Result') === 'success' &&
        clock.monotonic() - asked < settleTime
      )
        return undefined;
      return `${unit} is ${active} (${shown.get('Result') ?? 'unknown'})`;
    },
    async output() {
      const from = `@${Math.floor(since / 1000)}`;
      // What a server said last may still be on its way into the journal. Older systems and other users cannot ask for it.
      await runCommand(['journalctl', '--sync'], AbortSignal.timeout(10_000)).catch(() => undefined);
      const argv = [
        'journalctl',
        '--no-pager',
        '--output=cat',
        `--lines=${kept}`,
        `--since=${from}`,
        '-u',
        unit,
      ];
      const { stdout } = await runCommand(argv, AbortSignal.timeout(10_000)).catch(() => ({ stdout: '' }));
      return stdout.split('\n').filter((line) => line.trim() !== '');
    },
    async release() {
      rmSync(dropIn, { force: true });
      await systemctl(['daemon-reload'], AbortSignal.timeout(30_000)).catch(() => undefined);
    },
  };
}

/** A start that somebody asks for cancels a stop that is under way, also one that then fails at our condition. */
async function stopUntilDown(units: string[], unit: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await systemctl(['stop', '--', ...units], signal);
      return;
    } catch (error) {
      const state = (await showUnit(unit, signal)).get('ActiveState') ?? '';
      if (state === 'inactive' || state === 'failed') return;
      if (attempt === mostStops || !/cancell?ed/.test(messageOf(error))) throw error;
    }
  }
}

async function systemctl(args: string[], signal: AbortSignal): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(['systemctl', '--no-ask-password', ...args], signal);
  if (exitCode !== 0)
    throw new Error(stderr.trim() || `systemctl ended with status ${exitCode ?? 'unknown'}`);
  return stdout;
}

async function explained(unit: string, what: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw new AgentError('failed', `cannot ${what} the unit ${unit}: ${messageOf(error)}`, {
      cause: error,
      reason: 'service',
      hint:
        process.geteuid?.() === 0
          ? `see: systemctl status ${unit}; or name the right unit with service: of this instance`
          : 'only root may: run it with sudo',
    });
  }
}
