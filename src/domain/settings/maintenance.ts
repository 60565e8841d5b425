/** Rotations: when passwords are due, and tasks of one's own. Durations are milliseconds. */
export interface MaintenanceSettings {
  /** A password may be this old. */
  password_rotation: number;
  /** The monthly review times writes and reads on keys of its own, and compares with the last time. */
  benchmark: boolean;
  tasks: {
    /** Its id, as typed after `maintenance done`. */
    name: string;
    /** cron expression. */
    schedule: string;
    /** What a person has to do, a line each. */
    steps: string[];
  }[];
}
