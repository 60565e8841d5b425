import { AgentError } from '../../domain/errors.ts';
import { PipeError, type PipeReply } from '../../redis/pipe/reply-parser.ts';

/** Why a key was not written whose slot was never at rest. */
export const slotMoves =
  'its slot is being moved: end that (redis-cli --cluster fix), and run this again with --skip-existing';

/** Does the node say that the key belongs elsewhere, or has to wait for a move of its slot? */
export function isElsewhere(reply: PipeReply): boolean {
  return reply instanceof PipeError && ['MOVED', 'ASK', 'TRYAGAIN'].includes(reply.code);
}

/** More records are not noted, in memory and in the journal: then everything is read once more. */
const mostRecords = 100_000;

/** Of the error that ends a reading because more keys are elsewhere than are noted. */
export const otherMasters = 'other-masters';

/** Records that a node did not take, since the cluster has changed: they are written in another reading, to whom it says. */
export class MovedKeys {
  /** By their numbers in the dump. */
  readonly records: number[];
  /** Slots that are on their way, and the address of the node that takes their new keys. */
  readonly asks = new Map<number, string>();
  /** Nothing more is waited for: what is elsewhere now is a failure. */
  readonly last: boolean;

  constructor(records: number[] = [], last = false) {
    this.records = records;
    this.last = last;
  }

  /** False where no other reading is to follow. */
  note(index: number, { code, text }: PipeError): boolean {
    if (this.last) return false;
    this.records.push(index);
    const [, slot, address] = /^ASK (\d+) (\S+)/.exec(text) ?? [];
    if (code === 'ASK' && slot !== undefined && address !== undefined) this.asks.set(Number(slot), address);
    return true;
  }

  /** Why this reading is to end. */
  tooMany(node: string): AgentError | undefined {
    if (this.records.length < mostRecords) return undefined;
    return new AgentError('redis', `${node} has lost the slots of more than ${mostRecords} keys meanwhile`, {
      reason: otherMasters,
    });
  }
}
