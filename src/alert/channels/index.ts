import type { ChannelSettings, DeadmanChannelSettings } from '../../domain/settings/alerts.ts';
import { openAlertmanager } from './alertmanager.ts';
import type { Channel, ChannelTools } from './channel.ts';
import { openDiscord } from './discord.ts';
import { openExec } from './exec.ts';
import { openNtfy } from './ntfy.ts';
import { openOpsgenie } from './opsgenie.ts';
import { openPagerduty } from './pagerduty.ts';
import { openSlack } from './slack.ts';
import { openTeams } from './teams.ts';
import { openTelegram } from './telegram.ts';
import { openWebhook } from './webhook.ts';

/** Opens the channel that is configured so. Throws an AgentError `usage` when a secret or file of it cannot be read. */
export async function openChannel(
  settings: Exclude<ChannelSettings, DeadmanChannelSettings>,
  tools: ChannelTools,
): Promise<Channel> {
  switch (settings.type) {
    case 'email': {
      // nodemailer takes a tenth of a second to load.
      const { openEmail } = await import('./email.ts');
      return openEmail(settings, tools);
    }
    case 'slack':
      return openSlack(settings, tools);
    case 'webhook':
      return openWebhook(settings, tools);
    case 'exec':
      return openExec(settings, tools);
    case 'ntfy':
      return openNtfy(settings, tools);
    case 'telegram':
      return openTelegram(settings, tools);
    case 'discord':
      return openDiscord(settings, tools);
    case 'teams':
      return openTeams(settings, tools);
    case 'pagerduty':
      return openPagerduty(settings, tools);
    case 'opsgenie':
      return openOpsgenie(settings, tools);
    case 'alertmanager':
      break;
  }
  // A type that is not above is none of Alertmanager's: the compiler says so.
  return openAlertmanager(settings, tools);
}
