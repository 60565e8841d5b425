import type { State } from '../db/open.ts';

/** How a channel has done. Times are milliseconds since the epoch. */
export interface ChannelHealth {
  name: string;
  /** Since when nothing got through; null while it works. */
  failing_since: number | null;
  /** It has said that trying again is of no use: nothing is sent until the agent starts again, or a test gets through. */
  disabled: boolean;
  /** What it said last. */
  problem: string | null;
  remedy: string | null;
  sent_at: number | null;
}

export function channelHealth(state: State): ChannelHealth[] {
  return state.db
    .prepare('SELECT * FROM alert_channels ORDER BY name')
    .all()
    .map((row) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the STRICT table has exactly these columns
      return { ...(row as unknown as ChannelHealth), disabled: row['disabled'] === 1 };
    });
}

export function channelWorks(state: State, name: string, now: number): void {
  state.db
    .prepare(
      `INSERT INTO alert_channels (name, sent_at) VALUES (?1, ?2)
       ON CONFLICT (name) DO UPDATE SET failing_since = NULL, disabled = 0, problem = NULL, remedy = NULL, sent_at = ?2`,
    )
    .run(name, now);
}

export function channelFails(
  state: State,
  name: string,
  failure: { now: number; disabled: boolean; problem: string; remedy: string },
): void {
  state.db
    .prepare(
      `INSERT INTO alert_channels (name, failing_since, disabled, problem, remedy)
       VALUES (:name, :now, :disabled, :problem, :remedy)
       ON CONFLICT (name) DO UPDATE SET failing_since = MIN(COALESCE(failing_since, :now), :now),
         disabled = :disabled, problem = :problem, remedy = :remedy`,
    )
    .run({ name, ...failure, disabled: failure.disabled ? 1 : 0 });
}

/** A start, or a new configuration: what was of no use may be of use now. Channels that are gone are forgotten. */
export function enableChannels(state: State, names: readonly string[]): void {
  state.db.prepare('UPDATE alert_channels SET disabled = 0').run();
  for (const { name } of channelHealth(state))
    if (!names.includes(name)) state.db.prepare('DELETE FROM alert_channels WHERE name = ?').run(name);
}
