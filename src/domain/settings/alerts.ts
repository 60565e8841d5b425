import type { Severity } from '../finding.ts';
import type { SecretRef } from '../secret.ts';

/** The section `alerts:`: who hears of what, and how. Durations are milliseconds. */
export interface AlertSettings {
  channels: ChannelSettings[];
  /** The first that matches; what none matches goes to every channel. */
  routes: RouteSettings[];
  /** cron expression for telling warnings together instead of at once, or null. */
  digest: string | null;
  escalation: EscalationSettings[];
  windows: WindowSettings[];
  /** Where the agent's pages can be reached by those who are told; no links without. */
  public_url?: string | undefined;
  /** For how long a link in a message is good, by which its holder takes an alert on or silences it, once; null: no links. */
  links: number | null;
  /** How long news that are not critical wait for others of the same instance. */
  group_wait: number;
  /** Least time between two messages about one instance; what becomes critical does not wait. */
  group_interval: number;
  /** How often what stays open is told again. */
  repeat: { critical: number; high: number; warning: number };
  /** What could not be delivered for this long is given up. */
  give_up_after: number;
}

export interface RouteSettings {
  match: {
    /** This or worse. */
    severity?: Severity | undefined;
    /** `*` stands for anything. */
    rule?: string | undefined;
    instance?: string | undefined;
    /** What comes outside of these hours waits for them. */
    hours?: Hours | undefined;
  };
  /** Names of channels; nobody when empty. */
  to: string[];
}

/** Minutes after midnight; `to` before `from` goes past midnight. */
export interface Hours {
  from: number;
  to: number;
}

export interface EscalationSettings {
  /** After it has fired for this long without being acknowledged. */
  after: number;
  severity: Severity;
  to: string[];
}

/** Recurring maintenance: what fires meanwhile is told afterwards, if it still does. */
export interface WindowSettings extends Hours {
  /** 0 is Sunday: the days on which it begins. */
  days: number[];
  /** IANA zone; that of the configuration when left out. */
  timezone?: string | undefined;
  /** All when left out. */
  instances?: string[] | undefined;
  reason: string;
}

interface ChannelCommon {
  name: string;
}

export interface EmailChannelSettings extends ChannelCommon {
  type: 'email';
  from: string;
  to: string[];
  smtp: {
    /** smtp://host:port (STARTTLS where offered or required) or smtps://host:port. */
    url: string;
    tls: 'required' | 'opportunistic' | 'off';
    /** PEM file; replaces the system's roots. */
    ca?: string | undefined;
    verify: boolean;
    username?: string | undefined;
    password?: SecretRef | undefined;
  };
}

export type SlackChannelSettings = ChannelCommon & { type: 'slack' } & (
    | { webhook: SecretRef; token?: undefined; channel?: undefined }
    | { webhook?: undefined; token: SecretRef; channel: string }
  ) & { /** Another server that speaks Slack's API. */ api?: string | undefined };

export interface WebhookChannelSettings extends ChannelCommon {
  type: 'webhook';
  url: SecretRef;
  /** Signs what is sent. */
  secret?: SecretRef | undefined;
  format: 'native' | 'alertmanager';
}

export interface ExecChannelSettings extends ChannelCommon {
  type: 'exec';
  /** The program's whole path and its arguments; no shell reads it. */
  command: string[];
  timeout: number;
}

export interface NtfyChannelSettings extends ChannelCommon {
  type: 'ntfy';
  server: string;
  topic: SecretRef | string;
  token?: SecretRef | undefined;
}

export interface TelegramChannelSettings extends ChannelCommon {
  type: 'telegram';
  token: SecretRef;
  chat: string;
  api: string;
}

export interface DiscordChannelSettings extends ChannelCommon {
  type: 'discord';
  webhook: SecretRef;
}

export interface TeamsChannelSettings extends ChannelCommon {
  type: 'teams';
  webhook: SecretRef;
}

export interface PagerdutyChannelSettings extends ChannelCommon {
  type: 'pagerduty';
  routing_key: SecretRef;
  api: string;
}

export interface OpsgenieChannelSettings extends ChannelCommon {
  type: 'opsgenie';
  api_key: SecretRef;
  api: string;
}

export interface AlertmanagerChannelSettings extends ChannelCommon {
  type: 'alertmanager';
  url: string;
  username?: string | undefined;
  password?: SecretRef | undefined;
}

/** Told nothing: pinged as long as the agent does its work. */
export interface DeadmanChannelSettings extends ChannelCommon {
  type: 'deadman';
  url: SecretRef;
  interval: number;
}

export type ChannelSettings =
  | EmailChannelSettings
  | SlackChannelSettings
  | WebhookChannelSettings
  | ExecChannelSettings
  | NtfyChannelSettings
  | TelegramChannelSettings
  | DiscordChannelSettings
  | TeamsChannelSettings
  | PagerdutyChannelSettings
  | OpsgenieChannelSettings
  | AlertmanagerChannelSettings
  | DeadmanChannelSettings;
