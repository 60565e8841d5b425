import type { EvidenceLine } from '../../../domain/task.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { infoInteger } from '../../../formats/info/parse-info.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { noticesSince } from '../../../state/alerts/outbox.ts';
import { readInfo } from '../../../redis/server.ts';
import { lastRun } from '../../../state/runs.ts';
import { openFindings } from '../../../state/episodes.ts';
import type { Evidence, EvidenceSource } from './source.ts';

/** What the audit must have looked at and found in order. Without an audit nothing is known. */
function audited(rules: readonly string[], fine: string): Evidence {
  return ({ state, instance }) => {
    const audit = lastRun(state, instance.name, 'audit', 'ok');
    if (audit === undefined)
      return Promise.resolve([{ text: 'not audited yet: redis-agent audit', ok: null }]);
    const open = openFindings(state, instance.name).filter(({ rule }) => rules.includes(rule));
    return Promise.resolve(
      open.length === 0
        ? [{ text: fine, ok: true }]
        : open.map(({ summary }) => ({ text: summary, ok: false })),
    );
  };
}

async function memoryLimit({ connect }: EvidenceSource): Promise<EvidenceLine[]> {
  const limit = infoInteger(await readInfo(await connect()), 'maxmemory');
  if (limit === undefined) return [{ text: 'INFO does not say it', ok: null }];
  return [
    limit === 0
      ? { text: 'maxmemory is 0: no limit', ok: false }
      : { text: `maxmemory is ${formatBytes(limit)}`, ok: true },
  ];
}

async function persistence({ connect }: EvidenceSource): Promise<EvidenceLine[]> {
  const connection = await connect();
  const aof = (await readInfo(connection)).get('aof_enabled') === '1';
  const save = await connection.call('CONFIG', 'GET', 'save').catch(() => undefined);
  const points = Array.isArray(save) && typeof save[1] === 'string' ? save[1] : undefined;
  return [
    points === undefined
      ? { text: 'CONFIG GET is refused: save points are not known', ok: null }
      : { text: points === '' ? 'RDB is off' : `RDB is on (save ${points})`, ok: points !== '' },
    { text: `AOF is ${aof ? 'on' : 'off'}`, ok: aof },
  ];
}

function hasRun(job: string, what: string): Evidence {
  return ({ state, instance }) => {
    const run = lastRun(state, instance.name, job, 'ok');
    return Promise.resolve([
      run === undefined ? { text: `${what}: not yet`, ok: false } : { text: run.summary ?? what, ok: true },
    ]);
  };
}

const day = 24 * 60 * 60 * 1000;

function monitoring({ series, instance, now }: EvidenceSource): Promise<EvidenceLine[]> {
  const seen = series()
    .read(instance.name, 'up', { since: now - day, until: now + 1 })
    .at(-1);
  const ago = seen === undefined ? undefined : now - seen.at;
  return Promise.resolve([
    ago === undefined
      ? { text: 'the daemon has measured nothing in the last day', ok: false }
      : { text: `the daemon last looked ${formatDuration(ago)} ago`, ok: ago < day / 24 },
  ]);
}

function told({ state }: EvidenceSource): Promise<EvidenceLine[]> {
  const sent = noticesSince(state, 0).find(({ outcome }) => outcome === 'sent');
  return Promise.resolve([
    sent === undefined
      ? { text: 'no notice has been sent yet: redis-agent alerts test', ok: false }
      : { text: `a notice went out over ${sent.channel}: ${sent.notice.title}`, ok: true },
  ]);
}

/** By task: the go-live lines that the agent can judge by itself. */
export const goLiveEvidence: Readonly<Record<string, Evidence>> = {
  'go-live-password': audited(
    ['ACL01', 'ACL02', 'ACL06', 'SEC01'],
    'the audit found that nobody comes in without a password',
  ),
  'go-live-firewall': audited(
    ['NET01', 'NET03', 'NET04', 'NET06'],
    'the audit found no address that is open to all',
  ),
  'go-live-memory-limit': memoryLimit,
  'go-live-persistence': persistence,
  'go-live-monitoring': monitoring,
  'go-live-alerts': told,
  'go-live-drill': hasRun('drill', 'a drill'),
};
