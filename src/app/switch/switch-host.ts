import type { UserId } from '../../lib/process/act-as.ts';
import type { ConfFacts } from '../../backup/restore/facts.ts';
import type { HostSight, RestoreHost } from '../../backup/restore/host/host.ts';
import { readConfFacts } from '../../backup/restore/host/read-conf-facts.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { ServiceControl } from '../../redis/service/service.ts';
import type { JobContext } from '../../jobs/job.ts';
import { askedServerFiles } from '../conf/asked-files.ts';
import { AskedHands } from '../hands/ask.ts';
import { openFolder } from '../hands/hands.ts';
import type { SwitchLink } from './link.ts';
import { askedFields } from './protocol.ts';
import type { SwitchVerbs } from './switch-verbs.ts';

type Answer<Verb extends keyof SwitchVerbs> = Awaited<ReturnType<SwitchVerbs[Verb]>>;

/**
 * The host as root shows it to us, who are not root any more. `started`: hands that root has started for this command, by
 * instance and user.
 */
export function switchHost(
  link: SwitchLink,
  name: string,
  started: Map<string, AskedHands>,
): RestoreHost & Pick<JobContext, 'serverFiles'> {
  const ask = async <Verb extends keyof SwitchVerbs>(verb: Verb, ...args: unknown[]): Promise<Answer<Verb>> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- root is believed
    (await link.ask(verb, [name, ...args])) as Answer<Verb>;
  let sight: HostSight = {};
  const handsFor = (user: UserId): AskedHands => {
    const key = JSON.stringify([name, user.uid, user.gid]);
    const hands = started.get(key) ?? new AskedHands(user, async () => await link.openHands(name, user));
    started.set(key, hands);
    return hands;
  };
  return {
    serverFiles(target, user) {
      if (user === undefined)
        throw new AgentError('refused', 'nobody knows as whom the server runs', {
          hint: 'set service: { user: … } of the instance',
        });
      const hands = handsFor(user);
      return askedServerFiles(target, {
        hands: async (verb, args) => await hands.ask(verb, args),
        root: async (verb, args) => await link.askEtc(verb, [name, ...args]),
      });
    },
    actsForOthers: true,
    async look(info) {
      sight = await ask('look', info === undefined ? null : fieldsOf(info));
      return sight;
    },
    async readConf(source) {
      const { user } = sight;
      if (user === undefined) return await readConfFacts(source, undefined);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it says of a configuration is that user's anyhow
      return (await handsFor(user).ask('readConf', [source])) as ConfFacts;
    },
    async openFolder(named, layout) {
      const { user } = sight;
      if (user === undefined) throw new AgentError('refused', 'nobody knows as whom the server runs');
      return await openFolder(handsFor(user), named, layout, { user, guarded: true });
    },
    processesIn: (dir) => ask('processesIn', dir),
    end: (dir, how) => ask('end', dir, how),
    control({ dir, end, startIn, readOutput }) {
      const { service } = sight;
      if (service === undefined) return undefined;
      const from = service.kind === 'commands' ? startIn() : '/';
      let taken: Promise<void> | undefined;
      const of = async <Verb extends keyof SwitchVerbs>(verb: Verb): Promise<Answer<Verb>> => {
        await (taken ??= ask('take', { dir, startIn: from }));
        return await ask(verb);
      };
      const control: ServiceControl = {
        description: service.description,
        stop: async () => await (service.endsItself ? end() : of('stop')),
        start: async () => await of('start'),
        failure: async () => (await of('failure')) ?? undefined,
        output: async () => (service.kind === 'unit' ? await of('output') : linesOf(await readOutput())),
        // A run that was cut off may have left its hold at the unit.
        release: async () =>
          await (taken === undefined && service.kind !== 'unit' ? Promise.resolve() : of('release')),
      };
      return control;
    },
  };
}

/** Lines of a server's output that are shown at most. */
const kept = 40;

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-kept);
}

function fieldsOf(info: Info): [string, string][] {
  return askedFields.flatMap((field) => {
    const value = info.get(field);
    return value === undefined ? [] : [[field, value] as [string, string]];
  });
}
