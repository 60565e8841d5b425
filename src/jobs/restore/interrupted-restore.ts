import { LiveJournal } from '../../backup/restore/live-journal.ts';
import { StopNotices } from '../../backup/restore/stop-notice.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { JobContext } from '../job.ts';
import { interruptedRule } from './rules.ts';

/** What a restore that was cut off has left of the server; undefined when nothing, also of one that is under way. */
export function interruptedRestore(
  context: Pick<JobContext, 'settings' | 'instance'>,
  underWay: () => boolean,
): Finding | undefined {
  const left = stopped(context) ?? following(context);
  if (left === undefined || underWay()) return undefined;
  const { name } = context.instance;
  return { instance: name, rule: interruptedRule.id, resource: name, severity: 'critical', ...left };
}

type Left = Pick<Finding, 'summary' | 'remedy' | 'evidence'>;

function stopped({ settings, instance }: Pick<JobContext, 'settings' | 'instance'>): Left | undefined {
  const notice = new StopNotices(settings.state.path, instance.name).read();
  if (notice === undefined) return undefined;
  const { kind, backup, started_at: started, dir, service } = notice;
  return {
    summary: `${kind === 'undo' ? 'an undo of the restore' : 'a restore'} of ${backup} was cut off when it had stopped the server; nothing is lost, but the server is down, or was started since with the old data, with the backup or empty`,
    remedy: `before anybody writes, as root: redis-agent restore (goes on) or redis-agent restore --undo (goes back); the server is started by ${service}`,
    evidence: { backup, started_at: started, dir },
  };
}

function following({ settings, instance }: Pick<JobContext, 'settings' | 'instance'>): Left | undefined {
  try {
    const record = new LiveJournal(settings.state.path, instance.name).read();
    if (record === undefined) return undefined;
    const { backup, started_at: started, phase } = record;
    return {
      summary: `a live restore of ${backup}, begun ${started}, was cut off at ${phase}: the server may be a replica of nobody and refuse writes`,
      remedy: 'run: redis-agent restore, which sets it free first (so does the daemon, within five minutes)',
      evidence: { backup, started_at: started, phase },
    };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return {
      summary: error.message,
      remedy: error.hint ?? 'see: redis-agent restore --dry-run',
      evidence: {},
    };
  }
}
