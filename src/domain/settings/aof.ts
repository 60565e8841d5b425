export interface AofSettings {
  /** cron expression for checking what the append only file has grown by, or null for none. */
  schedule: string | null;
}
