/** Reports that are sent by themselves. Durations are milliseconds. */
export interface ReportSettings {
  /** cron expression; null: only audits are sent. */
  schedule: string | null;
  /** Names of channels of e-mail and Slack; all of these when left out. */
  to?: string[] | undefined;
  /** The span that a report is about. */
  since: number;
  /** The scheduled audit's page is sent too. */
  audit: boolean;
}

/** What takes a report: the others are for a line or two. */
export const reportChannelTypes: readonly string[] = ['email', 'slack'];
