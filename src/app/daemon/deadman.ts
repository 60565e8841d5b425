import { openDeadman } from '../../alert/channels/deadman.ts';
import { messageOf } from '../../domain/errors.ts';
import { outboxDepth } from '../../state/alerts/outbox.ts';
import type { App } from '../build-app.ts';
import { counted } from '../../lib/text/counted.ts';

/** Nothing waits for longer where messages get through. Milliseconds. */
const stuckAfter = 30 * 60 * 1000;

/**
 * Pings whoever tells when he hears nothing: only when every instance was looked at since the last ping, whatever was
 * found, and nothing is stuck in the outbox. A process that merely runs pings nobody.
 */
export function startDeadmen(app: App): { stop(): Promise<void> } {
  const { clock, log, settings } = app;
  const end = new AbortController();
  const loops = settings.alerts.channels
    .filter((channel) => channel.type === 'deadman')
    .map(async (channel) => {
      let last = clock.now() - channel.interval;
      while (!end.signal.aborted) {
        try {
          const why = unfit(app, last);
          if (why === undefined) {
            const failure = await openDeadman(channel, app.channelTools()).ping(end.signal);
            if (failure === undefined) last = clock.now();
            else
              log.warn(
                { channel: channel.name, problem: app.redact(failure.problem) },
                'the dead man’s switch did not hear',
              );
          } else log.debug({ channel: channel.name, why }, 'no ping');
        } catch (error) {
          log.warn(
            { channel: channel.name, cause: messageOf(error) },
            'the dead man’s switch cannot be pinged',
          );
        }
        await clock.sleep(channel.interval, end.signal).catch(() => {});
      }
    });
  return {
    async stop() {
      end.abort();
      await Promise.all(loops);
    },
  };
}

/** Why nobody should believe that all is watched; undefined when it is. */
function unfit(app: App, since: number): string | undefined {
  const state = app.state();
  const now = app.clock.now();
  for (const { name } of app.settings.instances) {
    const looked = app.lastLooked(name);
    if (looked === undefined || looked < since) return `${name} was not looked at`;
  }
  const stuck = outboxDepth(state).find(({ oldest }) => now - oldest > stuckAfter);
  return stuck === undefined
    ? undefined
    : `${counted(stuck.waiting, 'notice waits', 'notices wait')} for ${stuck.channel}`;
}
