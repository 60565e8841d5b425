import type { SecretRef } from '../secret.ts';

export interface HardenSettings {
  /** Run-time values that somebody has changed since the last `harden apply` are put back. */
  enforce: boolean;
  /** cron expression for looking whether what was applied still holds, or null. */
  drift: string | null;
  /** From where clients may come, as networks; nobody has said so when empty. */
  allowed_networks: string[];
  /** Who may change servers. Read by `harden` and its unit alone. */
  admin?: { username?: string | undefined; password: SecretRef } | undefined;
}
