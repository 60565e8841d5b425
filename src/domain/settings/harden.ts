import type { SecretRef } from '../secret.ts';

/** What one ACL user is for. */
export interface AclUserSettings {
  /** One of docs/acl-profiles.md. */
  profile: string;
  /** Instead of the profile’s. */
  keys?: string[] | undefined;
  channels?: string[] | undefined;
  /** Commands besides it, and such as it grants and this user does not get. */
  also?: string[] | undefined;
  without?: string[] | undefined;
}

export interface HardenSettings {
  /** Run-time values that somebody has changed since the last `harden apply` are put back. */
  enforce: boolean;
  /** cron expression for looking whether what was applied still holds, or null. */
  drift: string | null;
  /** From where clients may come, as networks; nobody has said so when empty. */
  allowed_networks: string[];
  /** Users by their names. */
  acl: Record<string, AclUserSettings>;
  /** Where `acl` names users: nobody logs in as `default` any more, as soon as nobody needs it. */
  close_default: boolean;
  /** Who may change servers. Read by `harden` and its unit alone. */
  admin?: { username?: string | undefined; password: SecretRef } | undefined;
}
