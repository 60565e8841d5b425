import { statSync } from 'node:fs';
import { Socket } from 'node:net';
import { configPath, loadSettings, type LoadedSettings } from '../../config/load.ts';
import type { Clock } from '../../domain/clock.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { describeOwner } from '../../lib/file-owner.ts';
import { answerVerbs, type Verbs } from '../../lib/verbs/answer.ts';
import { switchLimits } from '../switch/protocol.ts';
import { switchVerbs, type SwitchVerbs } from '../switch/switch-verbs.ts';
import { acceptedDescriptor } from './places.ts';
import { say } from './say.ts';

/** What is asked for by who restores under a unit: his folders and ports he opens himself, and his settings he reads. */
type UnitVerbs = Omit<SwitchVerbs, 'settings' | 'openHands' | 'reservePort'>;

/**
 * Root's part of a restore under systemd, for one connection: it stops, starts and shows the units of the servers of its own
 * configuration, and ends with who asks. Resolves with the exit status.
 */
export async function serveSwitch(env: NodeJS.ProcessEnv, clock: Clock): Promise<number> {
  // It ends by itself, and soon: a unit that is down half way is for who has asked.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  let loaded: LoadedSettings;
  try {
    requireRootsOwn(configPath(undefined, env));
    loaded = await loadSettings(undefined, { env });
  } catch (error) {
    say(messageOf(error));
    return 2;
  }
  const root = switchVerbs({
    loaded,
    program: [],
    clock,
    signal: new AbortController().signal,
    hand: () => Promise.reject(new Error('nothing is handed over here')),
  });
  const channel = new Socket({ fd: acceptedDescriptor });
  channel.on('error', () => {});
  const { verbs } = root;
  const kinds = new Map<string, string | undefined>();
  const own: UnitVerbs = {
    async look(name, fields) {
      const { service, ...sight } = await verbs.look(name, fields);
      kinds.set(name, service?.kind);
      // A command of the configuration would have to run as somebody whom this unit cannot become.
      return service?.kind === 'unit' ? { ...sight, service } : sight;
    },
    processesIn: async (name, dir) => await verbs.processesIn(name, dir),
    end: async (name, dir, how) => await verbs.end(name, dir, how),
    take(name, place) {
      if (kinds.get(name) !== 'unit')
        throw new AgentError('refused', `the server of ${name} is started by no unit`, {
          reason: 'unit',
          hint: 'restore as root: sudo redis-agent restore',
        });
      verbs.take(name, place);
    },
    async stop(name) {
      say(`stops the server of ${name}`);
      await verbs.stop(name);
    },
    async start(name) {
      say(`starts the server of ${name}`);
      await verbs.start(name);
    },
    failure: verbs.failure,
    output: verbs.output,
    release: verbs.release,
  };
  try {
    await answerVerbs({ input: channel, output: channel }, switchLimits, own satisfies Verbs).catch(() => {});
    return 0;
  } finally {
    await root.close();
  }
}

/** Whoever writes it says which units are stopped. */
function requireRootsOwn(path: string): void {
  const stats = statSync(path);
  if (stats.uid === 0 && (stats.mode & 0o022) === 0) return;
  throw new AgentError('refused', `${path} is not root's alone (${describeOwner(stats)})`, {
    hint: `chown root:redis-agent ${path} && chmod 0640 ${path}`,
  });
}
