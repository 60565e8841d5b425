import { openDeadman } from '../../alert/channels/deadman.ts';
import { openChannel } from '../../alert/channels/index.ts';
import type { Checked, Sent } from '../../alert/channels/channel.ts';
import type { Notice, NoticeItem } from '../../domain/alert.ts';
import { AgentError } from '../../domain/errors.ts';
import type { ChannelSettings } from '../../domain/settings/alerts.ts';
import { closest } from '../../lib/text/closest.ts';
import { channelWorks } from '../../state/alerts/channels.ts';
import { hurry } from '../../state/alerts/outbox.ts';
import { ring } from '../../state/alerts/ring.ts';
import { agentItself } from './channel-findings.ts';
import type { App } from '../build-app.ts';

/** No rule: nothing is wrong. */
const testName = 'test';

/** What one channel said to a test. */
export interface ChannelTest {
  channel: string;
  type: ChannelSettings['type'];
  ok: boolean;
  /** What the other side answered, or what is wrong. */
  answer: string;
  /** What to do; null when it worked. */
  next: string | null;
}

/** The channels asked for: all when none is named. Throws an AgentError `usage`. */
export function chosenChannels({ settings }: App, name: string | undefined): ChannelSettings[] {
  const { channels } = settings.alerts;
  if (channels.length === 0)
    throw new AgentError('usage', 'no channel is configured', {
      hint: 'name one below alerts.channels; conf/config.example.yaml shows them all',
    });
  if (name === undefined) return channels;
  const found = channels.filter((channel) => channel.name === name);
  if (found.length > 0) return found;
  const names = channels.map((channel) => channel.name);
  const near = closest(name, names);
  throw new AgentError('usage', `there is no channel ${JSON.stringify(name)}`, {
    hint: near === undefined ? `there are: ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

/** Sends a notice that is marked as a test, and its end. */
export async function testChannel(
  app: App,
  settings: ChannelSettings,
  signal: AbortSignal,
): Promise<ChannelTest> {
  const { name, type } = settings;
  const test = (ok: boolean, answer: string, next: string | null): ChannelTest => ({
    channel: name,
    type,
    ok,
    answer: app.redact(answer),
    next: next === null ? null : app.redact(next),
  });
  try {
    if (settings.type === 'deadman') {
      const failure = await openDeadman(settings, app.channelTools()).ping(signal);
      return failure === undefined ? test(true, 'heard', null) : test(false, failure.problem, failure.remedy);
    }
    const channel = await openChannel(settings, app.channelTools());
    try {
      const fired = await channel.send(testNotice(app, name, 'fired'), { signal, reference: undefined });
      if (!fired.ok) return failed(fired);
      const over = await channel.send(testNotice(app, name, 'resolved'), {
        signal,
        reference: fired.reference,
      });
      if (!over.ok) return failed(over);
      works(app, name);
      return test(true, over.answer, null);
    } finally {
      channel.close();
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return test(false, error.message, error.hint ?? null);
  }

  function failed(sent: Extract<Sent, { ok: false }>): ChannelTest {
    signal.throwIfAborted();
    return test(false, sent.problem, sent.remedy);
  }
}

/** Proves what can be proven without telling anybody. */
export async function checkChannel(
  app: App,
  settings: ChannelSettings,
  signal: AbortSignal,
): Promise<Checked> {
  try {
    if (settings.type === 'deadman') return await openDeadman(settings, app.channelTools()).check(signal);
    const channel = await openChannel(settings, app.channelTools());
    try {
      return await channel.check(signal);
    } finally {
      channel.close();
    }
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return { ok: false, problem: error.message, remedy: error.hint ?? 'correct its settings' };
  }
}

/** What waited for it may go now. */
function works(app: App, name: string): void {
  const now = app.clock.now();
  channelWorks(app.state(), name, now);
  hurry(app.state(), name, now);
  ring(app.settings.state.path);
}

function testNotice(app: App, channel: string, change: 'fired' | 'resolved'): Notice {
  const now = app.clock.now();
  const item: NoticeItem = {
    instance: agentItself,
    rule: testName,
    resource: agentItself,
    severity: 'warning',
    summary: 'this is a test of redis-agent: nothing is wrong',
    remedy: 'nothing; it is over in a moment',
    evidence: {},
    episode: 0,
    change,
    since: now,
    fired_at: now,
    resolved_at: change === 'resolved' ? now : null,
    resolution: change === 'resolved' ? 'cleared' : null,
    acknowledged: false,
    escalated: false,
    flips: 0,
  };
  const thread = `test-${Math.floor(now / 60_000).toString(36)}`;
  const key = `test-${now.toString(36)}-${change}`;
  return {
    key,
    kind: 'test',
    channel,
    instance: agentItself,
    thread,
    title: testName,
    at: now,
    items: [item],
    more: 0,
  };
}
