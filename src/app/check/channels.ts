import { checkChannel } from '../alerts/test-channels.ts';
import type { App } from '../build-app.ts';
import type { CheckLine } from './check-path.ts';

/** How far each channel can be proven without telling anybody. */
export async function checkChannels(app: App, signal: AbortSignal): Promise<CheckLine[]> {
  const lines: CheckLine[] = [];
  for (const channel of app.settings.alerts.channels) {
    signal.throwIfAborted();
    const checked = await checkChannel(app, channel, signal);
    const common = { instance: 'alerts', what: channel.name };
    lines.push(
      checked.ok
        ? { ...common, verdict: 'ok', detail: app.redact(checked.detail), next: null }
        : {
            ...common,
            verdict: 'failed',
            detail: app.redact(checked.problem),
            next: app.redact(checked.remedy),
          },
    );
  }
  return lines;
}
