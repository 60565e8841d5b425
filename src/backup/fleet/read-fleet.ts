import type { VerificationLevel } from '../../domain/backup.ts';
import { AgentError } from '../../domain/errors.ts';
import { mapBounded } from '../../lib/map-bounded.ts';
import { parseDrillMark, type DrillMark } from '../drill-mark.ts';
import { backupIdTime, isAhead } from '../id.ts';
import { manifestName } from '../own-names.ts';
import { readText } from '../small-object.ts';
import type { Store } from '../store/store.ts';
import { parseMark, type VerificationMark } from '../verification-mark.ts';
import { parseStatus } from './parse-status.ts';
import { statusFolder, statusNameForm, type StatusObject } from './status-object.ts';

/** One instance of a repository that many agents write to, as the names in it and its newest status tell. Milliseconds. */
export interface FleetEntry {
  instance: string;
  backups: number;
  newest: { id: string; at: number } | null;
  /** The newest backup that has a good proof beside it, and when that was made. */
  proven: { id: string; level: VerificationLevel; at: number } | null;
  /** The newest rehearsal of a restore. */
  drilled: { id: string; ok: boolean; at: number } | null;
  /** null: its agent writes none, or it cannot be read (then `problem` says why). */
  status: StatusObject | null;
  problem: string | null;
}

/** Documents that are read at the same time. */
const readers = 8;

interface Names {
  manifests: string[];
  proofs: { id: string; mark: VerificationMark }[];
  drills: { id: string; mark: DrillMark }[];
  statuses: string[];
}

/** Every instance of a repository, by name. One listing, and one small document an instance; no backup is opened. */
export async function readFleet(store: Store, now: number, signal: AbortSignal): Promise<FleetEntry[]> {
  const instances = new Map<string, Names>();
  for await (const key of keysOf(store, signal)) {
    const [instance = '', folder = '', name, ...deeper] = key.split('/');
    if (name === undefined || deeper.length > 0) continue;
    const isStatus = folder === statusFolder && statusNameForm.test(name);
    if (!isStatus && backupIdTime(folder) === undefined) continue;
    const names = instances.get(instance) ?? { manifests: [], proofs: [], drills: [], statuses: [] };
    instances.set(instance, names);
    if (isStatus) names.statuses.push(name);
    else if (name === manifestName) names.manifests.push(folder);
    const proof = parseMark(name);
    if (proof !== undefined) names.proofs.push({ id: folder, mark: proof });
    const drill = parseDrillMark(name);
    if (drill !== undefined) names.drills.push({ id: folder, mark: drill });
  }
  const byName = [...instances].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return mapBounded(byName, readers, ([instance, names]) => readEntry(store, instance, names, now, signal));
}

async function* keysOf(store: Store, signal: AbortSignal): AsyncGenerator<string> {
  if (store.keys !== undefined) yield* store.keys('', { signal });
  else for await (const { key } of store.list('', { signal })) yield key;
}

async function readEntry(
  store: Store,
  instance: string,
  { manifests, proofs, drills, statuses }: Names,
  now: number,
  signal: AbortSignal,
): Promise<FleetEntry> {
  const whole = new Set(manifests);
  const id = manifests.toSorted().findLast((each) => !isAhead(each, now));
  const proof = proofs
    .filter(({ id: of, mark }) => mark.ok && whole.has(of))
    .toSorted((a, b) => (a.id === b.id ? a.mark.at - b.mark.at : a.id < b.id ? -1 : 1))
    .at(-1);
  const drill = drills.toSorted((a, b) => a.mark.at - b.mark.at).at(-1);
  return {
    instance,
    backups: whole.size,
    newest: id === undefined ? null : { id, at: backupIdTime(id) ?? 0 },
    proven: proof === undefined ? null : { id: proof.id, level: proof.mark.level, at: proof.mark.at },
    drilled: drill === undefined ? null : { id: drill.id, ok: drill.mark.ok, at: drill.mark.at },
    ...(await readStatus(store, instance, statuses.toSorted().at(-1), signal)),
  };
}

async function readStatus(
  store: Store,
  instance: string,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Pick<FleetEntry, 'status' | 'problem'>> {
  if (name === undefined) return { status: null, problem: null };
  try {
    const text = await readText(store, `${instance}/${statusFolder}/${name}`, signal);
    const status = parseStatus(text, `status of ${instance}`);
    if (status.instance !== instance) return { status: null, problem: `its status is of ${status.instance}` };
    return { status, problem: null };
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return { status: null, problem: error.message };
  }
}
