export interface DrillSettings {
  /** cron expression for rehearsing a restore of the newest backup, or null for none. */
  schedule: string | null;
  /** A finding when the last one was longer ago. By default two periods of the schedule; null without one. */
  overdue_after: number | null;
}
