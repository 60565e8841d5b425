import { findUser } from '../../../lib/process/find-user.ts';
import { findService } from '../../../redis/service/find-service.ts';
import { messageOf } from '../../../domain/errors.ts';
import { lastLogLines } from '../last-log-lines.ts';
import { showUnit } from '../../../redis/service/systemd-service.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import type { NextStep, Runbook, Sight } from '../report.ts';

/** What is wrong with a configuration stands in that file; the path is put in where it is offered. */
const auditFile: NextStep = {
  why: 'every line that it does not start with, at once, and the right form',
  command: 'redis-agent audit --conf',
  effect: 'looks',
};

/** What a line of the log means, and what mends it before a start is tried again. */
const causes: readonly [RegExp, string, NextStep?][] = [
  [/FATAL CONFIG FILE ERROR|Bad directive/, 'a line of its configuration is wrong', auditFile],
  [/ACL errors|Aborting Redis startup because of ACL/, 'its aclfile or a user’s line is wrong', auditFile],
  [
    /Address already in use/,
    'something else listens on its port',
    { why: 'who does', command: 'ss -ltnp', effect: 'looks' },
  ],
  [
    /Bad file format reading the append only file|Unexpected end of file reading the append only/,
    'its append only file is damaged',
    { why: 'where, and what would be lost', command: 'redis-agent aof check', effect: 'looks' },
  ],
  [
    /Short read or OOM loading DB|Wrong signature trying to load DB|Internal error in RDB/,
    'its dump is damaged',
    {
      why: 'the newest backup that is proven, and what a restore would do',
      command: 'redis-agent restore --dry-run',
      effect: 'looks',
    },
  ],
  [/Can't open or create append-only dir|Permission denied/, 'it may not read or write its files'],
  [
    /No space left on device/,
    'the disk is full',
    { why: 'what takes the room', command: 'redis-agent runbook full-disk', effect: 'looks' },
  ],
  [/Out Of Memory|oom-kill|Cannot allocate memory/i, 'the host ran out of memory'],
];

export const downRunbook: Runbook = async ({ connection, failure, instance, info, clock, signal }) => {
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  if (connection !== undefined) {
    found.push({
      state: 'fine',
      text: `it answers, and has run for ${info.get('uptime_in_seconds') ?? '?'} s`,
    });
    if (info.get('loading') === '1')
      found.push({
        state: 'cause',
        text: `it loads its data: ${info.get('loading_loaded_perc') ?? '?'} %, ${info.get('loading_eta_seconds') ?? '?'} s left`,
      });
    return { applies: info.get('loading') === '1', found, steps: afterwards };
  }
  const reason = failure?.reason ?? 'unknown';
  found.push({ state: 'cause', text: failure?.message ?? 'it does not answer' });
  if (['wrongpass', 'noauth', 'noperm'].includes(reason)) {
    steps.push({
      why: 'it runs, and refuses the agent’s credential',
      command: 'redis-agent runbook locked-out',
      effect: 'looks',
    });
    return { applies: false, found, steps };
  }
  if (reason === 'busy' || reason === 'timeout')
    steps.push({
      why: 'it runs, and does not answer in time',
      command: 'redis-agent runbook slow',
      effect: 'looks',
    });
  const service = await findService(instance, undefined, { clock, signal }).catch((error: unknown) => {
    found.push({ state: 'unknown', text: messageOf(error) });
    return undefined;
  });
  const unit = /^the unit (\S+)$/.exec(service?.description ?? '')?.[1];
  const shown = unit === undefined ? undefined : await showUnit(unit, signal).catch(() => undefined);
  const state = shown?.get('ActiveState') ?? 'unknown';
  if (unit !== undefined) {
    found.push({
      state: 'note',
      text: `${unit} is ${state} (${shown?.get('SubState') ?? '?'}), result ${shown?.get('Result') ?? '?'}`,
    });
  } else if (service !== undefined)
    found.push({ state: 'note', text: `it is started by ${service.description}` });
  else
    found.push({
      state: 'unknown',
      text: 'how it is started: no unit of this host has its address (service: of the instance)',
    });
  const { file, journal, closed } = await lastLogLines(service, unit, signal);
  for (const line of file.slice(-5)) found.push({ state: 'note', text: `log: ${line}` });
  for (const line of journal.slice(-8)) found.push({ state: 'note', text: `journal: ${line}` });
  if (closed && unit !== undefined) {
    found.push({
      state: 'unknown',
      text: `what its start said: the journal of ${unit} is closed to the agent's user`,
    });
    steps.push({
      why: 'what its last start said',
      command: `sudo journalctl -n 20 -u ${shellWord(unit)}`,
      effect: 'looks',
    });
  }
  const log = [...file, ...journal].join('\n');
  const told = causes.filter(([pattern]) => pattern.test(log));
  for (const [, text] of told) found.push({ state: 'cause', text });
  const mends = new Set(told.flatMap(([, , step]) => step ?? []));
  // What it says of a line that is wrong, it says before it has a log.
  if (told.length === 0 && reason === 'refused') mends.add(auditFile);
  const conf = service?.arguments?.file ?? '/etc/redis/redis.conf';
  for (const step of mends)
    steps.push(step === auditFile ? { ...step, command: `${step.command} ${shellWord(conf)}` } : step);
  const start = startCommand(instance.service, unit, state === 'failed');
  if (start !== undefined && reason === 'refused')
    steps.push({ why: 'starts it; its data is loaded from its files', command: start, effect: 'changes' });
  steps.push(...afterwards);
  return { applies: true, found, steps };
};

/** Guides end so: is everything there again? */
const afterwards: NextStep[] = [
  { why: 'afterwards: role, keys, persistence, findings', command: 'redis-agent status', effect: 'looks' },
  { why: 'afterwards: do the queues move again?', command: 'redis-agent queues', effect: 'looks' },
];

function startCommand(
  service: Parameters<Runbook>[0]['instance']['service'],
  unit: string | undefined,
  failed: boolean,
): string | undefined {
  const root = process.geteuid?.() === 0 ? '' : 'sudo ';
  const name = shellWord(unit ?? '');
  // One that has failed too often in a row is not started again before that is forgotten.
  const forget = failed ? `${root}systemctl reset-failed ${name} && ` : '';
  if (unit !== undefined) return `${forget}${root}systemctl restart ${name}`;
  if (typeof service !== 'object' || service.start === undefined) return undefined;
  // It does not end with the terminal.
  const start = `setsid --fork ${service.start.map(shellWord).join(' ')}`;
  const user = service.user === undefined ? undefined : findUser(service.user);
  if (user === undefined) return start;
  return `${root}setpriv --reuid ${user.uid} --regid ${user.gid} --clear-groups ${start}`;
}
