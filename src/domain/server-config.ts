/** What config.json of a backup is: see ServerConfig. */
export const serverConfigSchema = 1;

/** How a server was set up when it was backed up: config.json, encrypted where the backup is. */
export interface ServerConfig {
  schema: number;
  /** ISO 8601. */
  at: string;
  /** CONFIG GET *: what it ran with. */
  config: Record<string, string>;
  /** Its users, as ACL LIST says them; null where that could not be seen. */
  acl: string[] | null;
  /** redis.conf and what it includes, where the agent may read it. */
  files: { path: string; text: string }[];
  /** Passwords, and their hashes, are left out: the backup is not encrypted. */
  masked: boolean;
  /** What could not be seen, and why. */
  missing: string[];
}
