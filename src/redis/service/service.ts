/**
 * How one server is stopped and started. Two implementations: a systemd unit, and plain commands. The contract suite in
 * test/support/service-contract.ts holds for both.
 */
export interface ServiceControl {
  /** For people: `the unit redis-server.service`. */
  readonly description: string;
  /**
   * Asks the server to end and keeps its manager from starting it again by itself. Resolves when that was said, which
   * may be before the process has gone. No error when it is down already.
   */
  stop(signal: AbortSignal): Promise<void>;
  /** Starts it, and does not wait until it has loaded its data. Resolves when the start was asked for. */
  start(signal: AbortSignal): Promise<void>;
  /** Why it is not coming up, after `start`; undefined while it may still. */
  failure(): Promise<string | undefined>;
  /** What the server said since `start`, for one that writes no log file of its own. The last lines, at most 40. */
  output(): Promise<string[]>;
  /** Gives back what stop and start have changed at the manager. May be called at any time, and twice. */
  release(): Promise<void>;
}
