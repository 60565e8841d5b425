import { readAlerts } from '../alerts/read-alerts.ts';
import type { App } from '../build-app.ts';
import { outboxDepth } from '../../state/alerts/outbox.ts';

/** A channel on which alerts do not get through as they should. */
export interface ChannelTrouble {
  channel: string;
  /** disabled: it has said that trying is of no use. failing: nothing gets through. stuck: messages wait for long. */
  trouble: 'disabled' | 'failing' | 'stuck';
  /** ISO 8601: since when. */
  since: string;
  /** What it said last. */
  problem: string | null;
  waiting: number;
}

/** A message that waits for longer than this is stuck: nothing works on it, or every attempt failed. Milliseconds. */
const patience = 30 * 60_000;

/** Of this agent, whichever instance is asked about. */
export function channelTrouble(app: App): ChannelTrouble[] {
  const oldest = new Map(outboxDepth(app.state()).map((each) => [each.channel, each.oldest]));
  const now = app.clock.now();
  return readAlerts(app, { pending: false }).channels.flatMap((channel): ChannelTrouble[] => {
    const { name, failing_since: failing, disabled, problem, waiting } = channel;
    const since = failing ?? oldest.get(name);
    if (since === undefined || (failing === null && now - since < patience)) return [];
    const trouble = disabled ? 'disabled' : failing === null ? 'stuck' : 'failing';
    return [{ channel: name, trouble, since: new Date(since).toISOString(), problem, waiting }];
  });
}
