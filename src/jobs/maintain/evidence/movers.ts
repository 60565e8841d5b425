import { backupIdTime } from '../../../backup/id.ts';
import type { Repository } from '../../../backup/repository.ts';
import { AgentError } from '../../../domain/errors.ts';
import type { KeyspaceSummary } from '../../../domain/keyspace.ts';
import type { EvidenceLine } from '../../../domain/task.ts';
import { diffKeyspaces } from '../../../keyspace/diff.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { printable } from '../../../lib/text/printable.ts';
import type { EvidenceSource } from './source.ts';

const day = 24 * 60 * 60 * 1000;
const mostMovers = 5;
/** Less is no mover, bytes. */
const least = 1024 * 1024;

/** Which prefixes grew or shrank most in a month, or as far back as backups go: by their key reports, not by the server. */
export async function bigMovers({ openRepository, now, signal }: EvidenceSource): Promise<EvidenceLine[]> {
  try {
    const repository = await openRepository();
    const { backups } = await repository.list(signal);
    const ids = backups.flatMap(({ id, state }) => (state === 'complete' ? [id] : [])).toSorted();
    const after = await firstReport(repository, ids.toReversed(), signal);
    const before = await firstReport(
      repository,
      ids.filter((id) => (backupIdTime(id) ?? 0) >= now - 30 * day),
      signal,
    );
    if (after === undefined || before === undefined || before.id === after.id)
      return [{ text: 'what grew is not known: there are not two backups with their key report', ok: null }];
    return [{ text: moversOf(before, after), ok: true }];
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return [{ text: `what grew is not known: ${error.message}`, ok: null }];
  }
}

interface Reported {
  id: string;
  summary: KeyspaceSummary;
}

function moversOf(before: Reported, after: Reported): string {
  const { prefixes, totals } = diffKeyspaces(before.summary, after.summary, 'memory');
  const since = new Date(backupIdTime(before.id) ?? 0).toISOString().slice(0, 10);
  const moved = prefixes.list
    .filter(({ delta, depth }) => depth === 1 && Math.abs(delta.memory) >= least)
    .slice(0, mostMovers)
    .map(({ prefix, delta }) => `${printable(prefix.slice(0, 80))} ${signed(delta.memory)}`);
  const { memory } = totals.delta;
  if (memory === 0 && moved.length === 0) return `the key space is as large as on ${since}`;
  const all = `the key space ${memory < 0 ? 'shrank' : 'grew'} by ${formatBytes(Math.abs(memory))}`;
  return `since ${since} ${all}${moved.length === 0 ? ', no prefix by more than 1 MiB' : `: ${moved.join(', ')}`}`;
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`;
}

async function firstReport(
  repository: Repository,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Reported | undefined> {
  for (const id of ids) {
    const summary = await repository.readKeyspace(id, signal).catch((error: unknown) => {
      if (error instanceof AgentError && error.code !== 'interrupted') return undefined;
      throw error;
    });
    if (summary !== undefined) return { id, summary };
  }
  return undefined;
}
