export interface VerifySettings {
  /** cron expression for reading back every stored backup, or null for none. */
  schedule: string | null;
  /** Prove each backup right after it was taken. */
  after_backup: boolean;
  /** Let the proof load it into a scratch server, where memory allows. */
  load: boolean;
  /** Have a proof that loads it decode every value, too, so that a live restore need not do it first. */
  deep: boolean;
}
