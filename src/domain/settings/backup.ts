export interface RetentionSettings {
  /** Keep everything younger than this many days. */
  days: number;
  /** Keep at least this many, however old. */
  keep_min: number;
  /** Besides: the newest backup of each of the last N days, ISO weeks, months. */
  daily: number;
  weekly: number;
  monthly: number;
}

export interface BackupSettings {
  /** cron expression, or null for none. */
  schedule: string | null;
  /** Largest random delay before a scheduled run. */
  jitter: number;
  retention: RetentionSettings;
  /** A backup whose keys or bytes fell by more than this share (0..1) of the one before is suspicious. */
  shrink_alert: number;
  /** A finding when the newest backup is older than this. By default two missed runs and an hour. */
  stale_after: number;
  /** Longest wait for the server to write its snapshot. */
  snapshot_timeout: number;
}
