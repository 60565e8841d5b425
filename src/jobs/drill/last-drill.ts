import { estimateRestore } from '../../backup/drill/estimate.ts';
import type { Repository } from '../../backup/repository.ts';
import type { DrillOutcome, DrillRecord, RestoreEstimate } from '../../domain/drill.ts';
import { AgentError } from '../../domain/errors.ts';
import type { JobContext } from '../job.ts';

/** As in the history. */
export const drillName = 'drill';

/** What the history keeps of drills, newest first. Ours, from our own database. */
export function drillsOf(details: readonly unknown[]): DrillOutcome[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only drillJob writes them
  return details.filter((detail) => typeof detail === 'object') as DrillOutcome[];
}

/**
 * The last drill that held: from the history, else (on a new host, say) from beside the backups. undefined where there is
 * none, or nothing can be learned: nobody fails for the want of a figure.
 */
async function lastHeldDrill(context: JobContext): Promise<DrillRecord | undefined> {
  const held = drillsOf(context.recall(drillName)).find(({ outcome }) => outcome === 'held');
  if (held !== undefined && held.outcome !== 'skipped') return held.record;
  return await newestStoredDrill(context.repository, context.signal, (mark) => mark.ok);
}

/** How long a restore of so many bytes should take; null when no drill tells. */
export async function expectRestore(
  context: JobContext,
  bytes: number,
  how: Parameters<typeof estimateRestore>[2],
): Promise<RestoreEstimate | null> {
  return estimateRestore(await lastHeldDrill(context), bytes, how);
}

/** The newest record that lies beside a backup, of those whose mark is wanted. */
export async function newestStoredDrill(
  repository: Repository,
  signal: AbortSignal,
  isWanted: (mark: { ok: boolean }) => boolean = () => true,
): Promise<DrillRecord | undefined> {
  try {
    const { backups } = await repository.list(signal);
    const marks = backups.flatMap((entry) =>
      entry.state === 'complete' ? entry.drills.map((mark) => ({ ...mark, id: entry.id })) : [],
    );
    const [newest] = marks.filter(isWanted).toSorted((a, b) => b.at - a.at);
    return newest && (await repository.readDrill(newest.id, newest.name, signal));
  } catch (error) {
    if (signal.aborted || !(error instanceof AgentError)) throw error;
    return undefined;
  }
}
