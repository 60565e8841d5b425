import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Verbs } from '../../lib/verbs/answer.ts';
import { switchVerbs, type SwitchVerbs } from '../switch/switch-verbs.ts';
import { answerConnection, loadForRoot } from './root-unit.ts';
import { say } from './say.ts';

/** What is asked for by who restores under a unit: his folders and ports he opens himself, and his settings he reads. */
type UnitVerbs = Omit<SwitchVerbs, 'settings' | 'openHands' | 'reservePort'>;

/**
 * Root's part of a restore under systemd, for one connection: it stops, starts and shows the units of the servers of its own
 * configuration, and ends with who asks. Resolves with the exit status.
 */
export async function serveSwitch(env: NodeJS.ProcessEnv, clock: Clock): Promise<number> {
  const loaded = await loadForRoot(env);
  if (loaded === undefined) return 2;
  const root = switchVerbs({
    loaded,
    program: [],
    clock,
    signal: new AbortController().signal,
    hand: () => Promise.reject(new Error('nothing is handed over here')),
  });
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
    await answerConnection(own satisfies Verbs);
    return 0;
  } finally {
    await root.close();
  }
}
