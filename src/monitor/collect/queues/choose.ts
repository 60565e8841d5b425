import { queueLabel, type QueueKind, type QueueRef } from '../../../domain/queue.ts';
import type { QueueSettings } from '../../../domain/settings/queues.ts';

/** Those that are configured for this instance, and what was found beside them; without those to ignore. */
export function chooseQueues(
  instance: string,
  configured: readonly QueueSettings[],
  found: readonly QueueRef[],
  most: number,
): QueueRef[] {
  const own = configured.filter((entry) => entry.instance === undefined || entry.instance === instance);
  const chosen = new Map<string, QueueRef>();
  for (const settings of own)
    for (const ref of refsOf(settings, found)) {
      const label = queueLabel(ref);
      if (!chosen.has(label)) chosen.set(label, { ...ref, settings });
    }
  for (const ref of found) if (!chosen.has(queueLabel(ref))) chosen.set(queueLabel(ref), ref);
  return [...chosen.values()].filter(({ settings }) => settings?.ignore !== true).slice(0, most);
}

function refsOf(settings: QueueSettings, found: readonly QueueRef[]): QueueRef[] {
  const { db = 0, name, prefix = 'bull', list, zset, stream, group } = settings;
  const plain = (kind: QueueKind, key: string): QueueRef => ({
    kind,
    db,
    prefix: '',
    name: key,
    group: '',
    guessed: false,
  });
  if (list !== undefined) return [plain('list', list)];
  if (zset !== undefined) return [plain('zset', zset)];
  if (stream !== undefined) {
    if (group !== undefined) return [{ ...plain('stream', stream), group }];
    return found.filter((ref) => ref.kind === 'stream' && ref.name === stream && ref.db === db);
  }
  if (name === undefined) return [];
  const known = found.find((ref) => ref.prefix === prefix && ref.name === name && ref.db === db);
  return [known ?? { ...plain('bullmq', name), prefix }];
}
