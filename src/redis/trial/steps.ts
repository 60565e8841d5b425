import { AgentError } from '../../domain/errors.ts';
import type { RedisConnection, Reply } from '../connection/connect.ts';
import type { Listener } from '../connection/listen.ts';

/** What a step works with. */
export interface StepContext {
  connection: RedisConnection;
  /** Opens a subscription; ended by whoever opens it. */
  listen(channel: string): Promise<Listener>;
  /** Begins every key and channel, and ends in a colon. */
  prefix: string;
  rounds: number;
  value: string;
  /** Runs `work` and notes how long it took; `operations` are in it. */
  time(this: void, work: () => Promise<void>, operations?: number): Promise<void>;
}

/** Expiry of everything that is written, seconds: should we be killed, nothing of us stays. */
const expiry = 60;

/** How many jobs are added and read at once. */
const bulk = 100;

interface Step {
  name: string;
  /** The step whose data it reads: without that it says nothing. */
  needs?: string;
  run(context: StepContext): Promise<void>;
}

/** What an application does with its Redis, one step each. The first one that fails to connect ends the test. */
export const steps: readonly Step[] = [
  {
    name: 'ping',
    run: (context) =>
      repeat(context, async ({ connection }) => expectReply('PING', await connection.call('PING'), 'PONG')),
  },
  {
    name: 'set and get',
    run: (context) =>
      repeat(context, async ({ connection, prefix, value }) => {
        await connection.call('SET', `${prefix}value`, value, 'EX', expiry);
        expectReply('GET', await connection.call('GET', `${prefix}value`), value);
      }),
  },
  {
    name: 'time to live',
    needs: 'set and get',
    run: (context) =>
      repeat(context, async ({ connection, prefix }) => {
        const left = Number(await connection.call('TTL', `${prefix}value`));
        if (left < 1 || left > expiry) throw unexpected('TTL', `${left} s`, `1 to ${expiry} s`);
      }),
  },
  {
    name: 'session',
    run: (context) =>
      repeat(context, async ({ connection, prefix, value }) => {
        const session = `${prefix}session`;
        await connection.call('SET', session, value, 'EX', expiry);
        expectReply('GET', await connection.call('GET', session), value);
        expectReply('EXPIRE', await connection.call('EXPIRE', session, expiry), 1);
        expectReply('DEL', await connection.call('DEL', session), 1);
      }),
  },
  {
    name: 'rate limit',
    run: (context) => {
      let count = 0;
      return repeat(context, async ({ connection, prefix }) => {
        const [counted, limited] = await connection.pipeline([
          ['INCR', `${prefix}limit`],
          ['EXPIRE', `${prefix}limit`, expiry],
        ]);
        expectReply('INCR', counted, ++count);
        expectReply('EXPIRE', limited, 1);
      });
    },
  },
  {
    name: 'publish and subscribe',
    async run(context) {
      const channel = `${context.prefix}channel`;
      const listener = await context.listen(channel);
      try {
        await repeat(context, async ({ connection, value }) => {
          const heard = listener.next();
          const receivers = await connection.call('PUBLISH', channel, value);
          if (Number(receivers) < 1) throw unexpected('PUBLISH', 'no receiver', 'one');
          expectReply('SUBSCRIBE', await heard, value);
        });
      } finally {
        listener.close();
      }
    },
  },
  {
    name: 'queue, one at a time',
    run: (context) =>
      repeat(context, async ({ connection, prefix, value }) => {
        const queue = `${prefix}queue`;
        await connection
          .pipeline([
            ['LPUSH', queue, value],
            ['EXPIRE', queue, expiry],
          ])
          .then(throwFirst);
        expectReply('RPOP', await connection.call('RPOP', queue), value);
      }),
  },
  {
    name: `queue, add ${bulk}`,
    async run({ connection, prefix, value, rounds, time }) {
      const jobs = Array.from({ length: bulk }, () => value);
      for (let round = 0; round < batches(rounds); round++)
        await time(async () => {
          const queue = `${prefix}bulk:${round}`;
          const adding = jobs.map((job) => ['LPUSH', queue, job]);
          throwFirst(await connection.pipeline([...adding, ['EXPIRE', queue, expiry]]));
        }, bulk);
      expectReply('LLEN', await connection.call('LLEN', `${prefix}bulk:0`), bulk);
    },
  },
  {
    name: `queue, read ${bulk}`,
    needs: `queue, add ${bulk}`,
    async run({ connection, prefix, value, rounds, time }) {
      for (let round = 0; round < batches(rounds); round++)
        await time(async () => {
          const reading = Array.from({ length: bulk }, () => ['RPOP', `${prefix}bulk:${round}`]);
          for (const reply of await connection.pipeline(reading)) expectReply('RPOP', reply, value);
        }, bulk);
    },
  },
];

/** Enough for a median, and no more than a server notices. */
function batches(rounds: number): number {
  return Math.min(5, rounds);
}

async function repeat(context: StepContext, work: (context: StepContext) => Promise<void>): Promise<void> {
  for (let round = 0; round < context.rounds; round++) await context.time(() => work(context));
}

function throwFirst(replies: readonly (Reply | AgentError)[]): void {
  for (const reply of replies) if (reply instanceof AgentError) throw reply;
}

function expectReply(command: string, reply: Reply | AgentError | undefined, wanted: string | number): void {
  if (reply instanceof AgentError) throw reply;
  if (reply !== wanted) throw unexpected(command, 'another value', 'the one that was written');
}

function unexpected(command: string, got: string, wanted: string): AgentError {
  return new AgentError('redis', `${command} gave ${got} instead of ${wanted}`, {
    reason: 'reply',
    hint: 'does something else write to these keys, or a proxy answer in the server’s place?',
  });
}
