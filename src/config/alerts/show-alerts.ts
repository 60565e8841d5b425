import type { AlertSettings, ChannelSettings } from '../../domain/settings/alerts.ts';
import { writeDuration } from '../../lib/time/duration.ts';
import { writeHours, writeWindow } from './hours.ts';

/** The section as the configuration file would have it. */
export function showAlerts(alerts: AlertSettings): Record<string, unknown> {
  const { channels, routes, digest, escalation, windows, repeat } = alerts;
  return {
    channels: channels.map((channel) => showChannel(channel)),
    routes: routes.map(({ match, to }) => ({
      match: { ...match, hours: match.hours && writeHours(match.hours) },
      to,
    })),
    digest: digest ?? 'off',
    escalation: escalation.map((step) => ({ ...step, after: writeDuration(step.after) })),
    windows: windows.map(({ days, from, to, ...rest }) => ({
      every: writeWindow({ days, from, to }),
      ...rest,
    })),
    public_url: alerts.public_url,
    links: alerts.links === null ? 'off' : writeDuration(alerts.links),
    group_wait: writeDuration(alerts.group_wait),
    group_interval: writeDuration(alerts.group_interval),
    repeat: Object.fromEntries(
      Object.entries(repeat).map(([severity, every]) => [severity, writeDuration(every)]),
    ),
    give_up_after: writeDuration(alerts.give_up_after),
  };
}

function showChannel(channel: ChannelSettings): Record<string, unknown> {
  if (channel.type === 'exec') return { ...channel, timeout: writeDuration(channel.timeout) };
  if (channel.type === 'deadman') return { ...channel, interval: writeDuration(channel.interval) };
  return { ...channel };
}
