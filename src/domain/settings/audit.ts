/** A finding that somebody has accepted, for a while. */
export interface Waiver {
  rule: string;
  /** As the audit names it; every resource when left out. */
  resource?: string | undefined;
  /** Every instance when left out. */
  instance?: string | undefined;
  reason: string;
  author: string;
  /** The last day on which it holds, `2027-03-31`. */
  until: string;
}

export interface AuditSettings {
  /** cron expression for the audit that is told, or null for none. */
  schedule: string | null;
  /** The same for the one that speaks only of what has got worse. */
  quiet_schedule: string | null;
  waivers: Waiver[];
}
