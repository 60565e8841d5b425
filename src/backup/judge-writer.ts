import type { Manifest, ServerIdentity, WriterIdentity } from '../domain/backup.ts';
import { printable } from '../lib/text/printable.ts';
import { isAhead } from './id.ts';

/** Slack for whole-second uptimes and clocks that are a little apart. Milliseconds. */
const tolerance = 5000;

/**
 * Would a backup of `server`, taken by `writer`, follow `newest` in the same prefix, or do two agents share it (a
 * cloned host, one name on two hosts)? Returns why it must be refused, or undefined.
 *
 * A clone keeps host name and machine id, so those alone cannot tell. But the servers differ: when the newest backup
 * came from another server process (run_id) and ours was already running at that time, then both were alive at once,
 * which a restart never gives. Nothing but the repository is needed for this judgement. A backup that seems to come from
 * the future (a clock was wrong) does not tell when its server was alive.
 */
export function judgeWriter(
  newest: Manifest | undefined,
  mine: { writer: WriterIdentity; server: ServerIdentity; now: number },
): string | undefined {
  if (newest === undefined) return undefined;
  if (newest.writer.machine !== mine.writer.machine)
    return `its newest backup ${newest.id} was written by another host, ${hostOf(newest)}`;
  if (newest.server.run_id === mine.server.run_id || isAhead(newest.id, mine.now)) return undefined;
  if (Date.parse(mine.server.started_at) + tolerance < Date.parse(newest.requested_at))
    return (
      `its newest backup ${newest.id} came from another server (run_id ${printable(newest.server.run_id.slice(0, 8))}…) ` +
      `while this one was running: is this host a clone of ${hostOf(newest)}, or the name used twice?`
    );
  return undefined;
}

/** It comes out of a store that others may write to, and goes into messages. */
function hostOf({ writer }: Manifest): string {
  return printable(writer.host.slice(0, 255));
}
