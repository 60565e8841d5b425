import type { UserId } from '../../lib/process/act-as.ts';
import { userName } from '../../lib/files/file-owner.ts';
import { AgentError } from '../../domain/errors.ts';
import { VerbCaller, VerbsClosedError } from '../../lib/verbs/call.ts';
import { reserveLowPort } from '../../redis/replication/low-port.ts';
import { handsBehind, type HandsProcess } from '../hands/start.ts';
import type { SwitchLink } from '../switch/link.ts';
import { switchLimits, switchPatience } from '../switch/protocol.ts';
import { connectUnit } from './connect.ts';
import { etcSocket, handsSocket, switchSocket } from './places.ts';

export interface UnitLink extends SwitchLink {
  /** Root's part has gone before it was asked to, and what it was asked for may be done by half. */
  lost(): boolean;
}

interface RootUnit {
  path: string;
  unit: string;
  /** What it is needed for. */
  what: string;
  /** Of its lines in the journal. */
  tag: string;
}

/** The way to root, and to who works in folders, as units that are started by their sockets. */
export function unitLink(env: NodeJS.ProcessEnv): UnitLink {
  let lost = false;
  const askerOf = ({ path, unit, what, tag }: RootUnit): SwitchLink['ask'] => {
    let caller: Promise<VerbCaller> | undefined;
    const open = async (): Promise<VerbCaller> => {
      const channel = await connectUnit(path, unit, `ask who may ${what}`);
      channel.unref();
      return new VerbCaller({ input: channel, output: channel }, switchLimits, () => channel.destroy());
    };
    return async (verb, args) => {
      try {
        return await (await (caller ??= open())).call(verb, args, switchPatience);
      } catch (error) {
        if (!(error instanceof VerbsClosedError)) throw error;
        lost = true;
        throw new AgentError('failed', `the unit that may ${what} is gone: ${error.message}`, {
          cause: error,
          reason: 'switch',
          hint: `what had begun is ended by itself, see redis-agent status; why: journalctl -t ${tag}`,
        });
      }
    };
  };
  return {
    lost: () => lost,
    ask: askerOf({
      path: switchSocket(env),
      unit: 'redis-agent-switch.socket',
      what: 'stop and start servers',
      tag: 'redis-agent-switch',
    }),
    askEtc: askerOf({
      path: etcSocket(env),
      unit: 'redis-agent-etc.socket',
      what: 'change configurations of root’s',
      tag: 'redis-agent-etc',
    }),
    openHands: async (_, user) => await openHands(env, user),
    reservePort: reserveLowPort,
    settings: () => Promise.resolve(undefined),
  };
}

async function openHands(env: NodeJS.ProcessEnv, { uid }: UserId): Promise<HandsProcess> {
  const user = userName(uid);
  const unit = `redis-agent-hands-${user}.socket`;
  return handsBehind(await connectUnit(handsSocket(env, user), unit, `ask who works as ${user}`));
}
