import { existsSync } from 'node:fs';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import type { QueueReading } from '../../../domain/queue.ts';
import { infoInteger } from '../../../formats/info/parse-info.ts';
import { counted } from '../../../lib/text/counted.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import { workerName } from '../../../monitor/collect/queues/workers.ts';
import { aclLogCommand, readAclLog, type Denial } from '../../../redis/acl-log.ts';
import { judgeServerUser } from '../../acl/profile-report.ts';
import { readQueuesNow, type QueuesNow } from '../../queues/read-queues.ts';
import { clientProcesses, type ClientProcess } from '../connected-processes.ts';
import { inItsFolder, libraryCommand } from '../library-command.ts';
import { cli, tryAsk, type NextStep, type Runbook, type RunbookContext, type Sight } from '../report.ts';

interface Part {
  found: Sight[];
  steps: NextStep[];
}

export const queueRunbook: Runbook = async (context) => {
  const { app, instance, signal, progress, connection, failure } = context;
  if (connection === undefined)
    return {
      applies: false,
      found: [{ state: 'unknown', text: failure?.message ?? 'it cannot be connected to' }],
      steps: [{ why: 'first this', command: 'redis-agent runbook down', effect: 'looks' }],
    };
  let found: Sight[];
  const steps: NextStep[] = [];
  try {
    const now = await readQueuesNow(app, instance, { signal, progress, search: true });
    const parts = await Promise.all(now.queues.map(({ reading }) => lookAtQueue(context, reading, now)));
    if (now.queues.length > 0) parts.unshift(memoryOf(context), await denialsOf(context, now));
    found = parts.flatMap((part) => part.found);
    steps.push(...parts.flatMap((part) => part.steps));
    if (now.queues.length === 0) {
      // Its queues may be what was evicted.
      const memory = instance.role === 'queue' ? memoryOf(context) : { found: [], steps: [] };
      found = [{ state: 'note', text: 'no queue was found' }, ...memory.found];
      steps.push(...memory.steps);
    }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    found = [{ state: 'unknown', text: messageOf(error) }];
  }
  steps.push({ why: 'how it goes on', command: 'redis-agent queues --watch', effect: 'looks' });
  return { applies: found.some(({ state }) => state === 'cause'), found, steps };
};

async function lookAtQueue(
  context: RunbookContext,
  reading: QueueReading,
  { at, workers }: QueuesNow,
): Promise<Part> {
  const { label, ref, due, dueSince, paused, failed, abandoned, overdue, idleSince } = reading;
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const since = dueSince === null ? '' : `, the oldest for ${formatDuration(at - dueSince)}`;
  const lost = abandoned ?? 0;
  const alone = due > 0 && reading.workers === 0 && !paused;
  const idle = due > 0 && reading.workers !== 0 && !paused && idleSince !== null && at - idleSince > 60_000;
  found.push({
    state: alone || idle || (paused && due > 0) ? 'cause' : 'fine',
    text: `${label}: ${due} due${since}, ${reading.workers === null ? 'workers unknown' : counted(reading.workers, 'worker')}${paused ? ', paused' : ''}`,
  });
  const show = `redis-agent queues show ${shellWord(label)}`;
  const byLibrary = (why: string, action: Parameters<typeof libraryCommand>[2]): void => {
    const command = libraryCommand(context.instance, ref, action);
    if (command !== undefined) steps.push({ why: `${why}; ${inItsFolder}`, command, effect: 'changes' });
  };
  if (paused) {
    steps.push({
      why: `${label} is paused; who has done it may have had a reason`,
      command: show,
      effect: 'looks',
    });
    byLibrary('then: its workers take jobs again', 'resume');
  }
  if (alone) {
    found.push({ state: 'cause', text: `${label}: no worker is connected; its jobs wait and are not lost` });
    steps.push(...startWorkers(label, show));
  }
  if (idle)
    found.push({
      state: 'cause',
      text: `${label}: workers are connected and have finished nothing for ${formatDuration(at - (idleSince ?? at))}`,
    });
  if (lost > 0)
    found.push({
      state: 'cause',
      text: `${label}: ${counted(lost, 'active job')} that no worker holds any more (stalled); a worker that runs takes them up by itself`,
    });
  if ((idle || lost > 0) && reading.workers !== 0) {
    const own = workers.filter(({ queue }) => queue === workerName(ref.prefix, ref.name));
    const part = hungWorkers(
      await clientProcesses(
        context.instance.url,
        own.map(({ address }) => address),
      ),
      label,
    );
    found.push(...part.found);
    steps.push(...part.steps);
  }
  if (lost > 0 && reading.workers === 0 && !alone) steps.push(...startWorkers(label, show));
  if (overdue > 0)
    found.push({ state: 'note', text: `${label}: ${counted(overdue, 'delayed job')} should have begun` });
  if (failed > 0) {
    found.push({ state: 'note', text: `${label}: ${counted(failed, 'failed job')} kept` });
    steps.push({
      why: `why jobs of ${label} have failed, by reason`,
      command: `redis-agent queues failed ${shellWord(label)}`,
      effect: 'looks',
    });
    byLibrary('when that is mended: all of them are tried again', 'retry failed');
  }
  return { found, steps };
}

/** Which processes they are only their host knows. */
function startWorkers(label: string, show: string): NextStep[] {
  const why = `start the workers of ${label} where they run, there is no command of Redis for it`;
  if (!existsSync('/run/systemd/system')) return [{ why, command: show, effect: 'looks' }];
  return [
    {
      why: `${why}; units of this host that have failed`,
      command: 'systemctl list-units --failed',
      effect: 'looks',
    },
  ];
}

function hungWorkers(processes: readonly ClientProcess[], label: string): Part {
  if (processes.length === 0)
    return {
      found: [
        { state: 'unknown', text: `${label}: which process its workers are: run it as root on their host` },
      ],
      steps: [],
    };
  const stopped = processes.filter((each) => each.stopped);
  if (stopped.length > 0)
    return {
      found: stopped.map(({ pid, program }) => ({
        state: 'cause',
        text: `${label}: its worker ${program} (pid ${pid}) is stopped, by a signal or a debugger`,
      })),
      steps: [
        {
          why: 'it goes on where it was; jobs that it had begun may be done a second time',
          command: `kill -CONT ${stopped.map(({ pid }) => pid).join(' ')}`,
          effect: 'changes',
        },
      ],
    };
  return {
    found: processes.map(({ pid, program }) => ({
      state: 'note',
      text: `${label}: its worker is ${program} (pid ${pid}) on this host`,
    })),
    steps: [
      {
        why: 'ends the worker, for who manages it to start it again; what it had begun is done once more',
        command: `kill ${processes.map(({ pid }) => pid).join(' ')}`,
        effect: 'loses',
      },
    ],
  };
}

/** Jobs that are evicted, and jobs that do not get in. */
function memoryOf({ info, instance }: RunbookContext): Part {
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const policy = info.get('maxmemory_policy');
  const evicted = infoInteger(info, 'evicted_keys') ?? 0;
  if (policy !== undefined && policy !== 'noeviction') {
    found.push({
      state: evicted > 0 ? 'cause' : 'note',
      text: `maxmemory-policy is ${policy}: ${evicted === 0 ? 'where memory is used up, jobs would be evicted' : `${counted(evicted, 'key')} evicted since it started, jobs may be among them`}`,
    });
    steps.push({
      why: 'nothing is evicted any more, and writes are refused instead where memory is used up (redis-agent harden apply --policy queue keeps it)',
      command: `${cli(instance)} CONFIG SET maxmemory-policy noeviction`,
      effect: 'changes',
    });
  }
  const refused = Number(/count=(\d+)/.exec(info.get('errorstat_OOM') ?? '')?.[1] ?? 0);
  if (refused > 0) {
    found.push({
      state: 'note',
      text: `${counted(refused, 'write was', 'writes were')} refused for want of memory since it started`,
    });
    steps.push({ why: 'what memory is used for', command: 'redis-agent runbook memory', effect: 'looks' });
  }
  return { found, steps };
}

const lately = 600;

/** Workers that lack a right. */
async function denialsOf(context: RunbookContext, { queues }: QueuesNow): Promise<Part> {
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const log = readAclLog((await tryAsk(context, found, 'acl|log', ...aclLogCommand)) ?? null);
  const seen = new Set<string>();
  for (const denial of log) {
    const ref = queues.find(({ reading }) => isOf(denial, reading))?.reading.ref;
    if (ref === undefined || (denial.age ?? 0) > lately) continue;
    const { user, reason, object } = denial;
    found.push({
      state: 'cause',
      text: `${user}, who works on queues, was refused ${reason === 'key' ? 'the key ' : ''}${object} ${counted(denial.count, 'time')} in the last ten minutes`,
    });
    if (seen.has(user) || (ref.kind !== 'bullmq' && ref.kind !== 'bull')) continue;
    seen.add(user);
    steps.push(...(await grantTo(context, user, ref.kind, ref.prefix)));
  }
  return { found, steps };
}

/** By the name of the connection, which is a worker's, or the key. */
function isOf({ name = '', object, reason }: Denial, { ref }: QueueReading): boolean {
  if (ref.prefix === '') return false;
  const own = workerName(ref.prefix, ref.name);
  return (
    name === own || name.startsWith(`${own}:`) || (reason === 'key' && object.startsWith(`${ref.prefix}:`))
  );
}

/** What the profile has and the user has not; what he may besides stays. */
async function grantTo(
  { app, instance, signal }: RunbookContext,
  user: string,
  profile: string,
  prefix: string,
): Promise<NextStep[]> {
  const question = { profile, user, keys: [`${prefix}:*`] };
  const report = await judgeServerUser(app, instance, question, signal).catch(() => undefined);
  if (report?.exists !== true || report.fits || user === 'default') return [];
  const { commands, keys, channels } = report.missing;
  const rules = [
    ...keys.map((each) => `~${each}`),
    ...channels.map((each) => `&${each}`),
    ...commands.map((each) => `+${each}`),
  ];
  return [
    {
      why: `gives ${user} what ${profile} needs and it lacks (redis-agent audit --profile ${profile} --user ${shellWord(user)} says it for its file)`,
      command: `${cli(instance)} ACL SETUSER ${shellWord(user)} ${rules.map(shellWord).join(' ')}`,
      effect: 'changes',
    },
  ];
}
