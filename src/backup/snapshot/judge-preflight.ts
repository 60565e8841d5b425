import { formatBytes } from '../../lib/text/bytes.ts';
import { formatDuration } from '../../lib/time/duration.ts';
import { judgePlace, writesBlocked, type DumpPlace } from './judge-place.ts';
import type { Judgement, Problem } from './problem.ts';

/** What a preflight looks at. Sizes are bytes. `undefined`: cannot be seen from here, and is not judged. */
export interface PreflightFacts {
  loading: boolean;
  /** Undefined on a master. */
  replica: { linkUp: boolean; syncing: boolean; downFor: number | undefined } | undefined;
  lastSaveFailed: boolean;
  /** stop-writes-on-bgsave-error with a save point: a save that fails blocks production writes. */
  failureBlocksWrites: boolean;
  data: {
    keys: number;
    changesSinceSave: number;
    /** used_memory_dataset: the data without the server's own structures. */
    dataset: number;
    rss: number;
    /** Copied during the last save since the server's start. */
    lastCopied: number;
  };
  disk: { folder: string; free: number; dump: number | undefined } | undefined;
  /** Where the dump goes, and what the server may do there. */
  place: DumpPlace | undefined;
  host: { available: number; commitLimit: number; committed: number; overcommit: number } | undefined;
  cgroup: { limit: number; free: number } | undefined;
}

const mib = 1024 * 1024;

/** Pure. Another child is no problem here: the snapshot waits for it. */
export function judgePreflight(facts: PreflightFacts): Judgement {
  const judgement: Judgement = { refusals: [], warnings: [] };
  judgeState(facts, judgement);
  judgePlace(facts.place, facts.failureBlocksWrites, judgement);
  for (const judge of [judgeDisk, judgeMemory, judgeCgroup, judgeOvercommit]) judge(facts, judgement);
  return judgement;
}

/**
 * Bytes that the new dump may take. With a dump that still describes the data (at most a tenth as many changes as
 * keys since it was written): its size and a quarter. Otherwise the size of the data in memory, which a dump stays
 * below, since it holds the same values without pointers, and compressed as a rule.
 */
export function estimateDump({ data, disk }: PreflightFacts): number {
  const dump = disk?.dump;
  if (dump !== undefined && dump > 0 && data.changesSinceSave <= data.keys / 10)
    return Math.ceil(dump * 1.25);
  return data.dataset;
}

function judgeState(facts: PreflightFacts, { refusals, warnings }: Judgement): void {
  const { replica } = facts;
  if (facts.loading)
    refusals.push({
      check: 'loading',
      what: 'the server is still loading',
      why: 'its data is not complete',
      next: 'try again when it has finished',
    });
  if (replica?.syncing === true)
    refusals.push({
      check: 'replica',
      what: 'this replica is being synchronised',
      why: 'its data is about to be replaced',
      next: 'try again when it has finished',
    });
  else if (replica?.linkUp === false)
    refusals.push({
      check: 'replica',
      what: 'this replica has lost its master',
      why: `its data is ${replica.downFor === undefined ? 'of unknown age' : `${formatDuration(replica.downFor)} old`}`,
      next: 'repair the replication, or back up the master',
    });
  if (facts.lastSaveFailed && facts.failureBlocksWrites) refusals.push(writesBlocked);
  else if (facts.lastSaveFailed)
    warnings.push({
      check: 'last-save',
      what: 'the server’s last save failed',
      why: 'rdb_last_bgsave_status is err',
      next: 'see the server’s log',
    });
}

/** The old dump stays until the new one is complete, so all of the new one must fit beside it. */
function judgeDisk(facts: PreflightFacts, { refusals }: Judgement): void {
  const { disk, failureBlocksWrites } = facts;
  if (disk === undefined) return;
  const estimate = estimateDump(facts);
  const needed = failureBlocksWrites ? estimate * 1.5 + 64 * mib : estimate * 1.1 + 16 * mib;
  if (disk.free >= needed) return;
  const consequence = failureBlocksWrites
    ? ', and a save that fails would stop writes (stop-writes-on-bgsave-error)'
    : '';
  refusals.push({
    check: 'disk',
    what: `too little room in ${disk.folder}`,
    why: `${formatBytes(disk.free)} free, ${formatBytes(needed)} wanted for a dump of about ${formatBytes(estimate)}${consequence}`,
    next: 'free some space there',
  });
}

/**
 * What a save may take by copy on write: half as much again as the last one took, at least a tenth of the process and
 * 8 MiB for the child itself. `cautious` is what a time of many writes may take.
 */
function copyNeeds({ data }: PreflightFacts): { least: number; cautious: number } {
  const least = Math.max(data.lastCopied * 1.5, data.rss / 10) + 8 * mib;
  return { least, cautious: Math.max(least, data.lastCopied * 3, data.rss / 2) };
}

/** Swap does not count: a server that swaps during a save serves nobody. */
function judgeMemory(facts: PreflightFacts, judgement: Judgement): void {
  if (facts.host === undefined) return;
  judgeRoom(facts, judgement, {
    check: 'memory',
    where: 'on this host',
    free: facts.host.available,
    next: 'free some memory, lower maxmemory, or save at a quieter time',
  });
}

function judgeCgroup(facts: PreflightFacts, judgement: Judgement): void {
  if (facts.cgroup === undefined) return;
  judgeRoom(facts, judgement, {
    check: 'cgroup',
    where: `in the server’s control group (limit ${formatBytes(facts.cgroup.limit)})`,
    free: facts.cgroup.free,
    next: 'raise its limit (MemoryMax=), or lower maxmemory: beyond it the kernel kills the server',
  });
}

function judgeRoom(
  facts: PreflightFacts,
  { refusals, warnings }: Judgement,
  room: { check: Problem['check']; where: string; free: number; next: string },
): void {
  const { least, cautious } = copyNeeds(facts);
  if (room.free >= cautious) return;
  const problem = (wanted: number): Problem => ({
    check: room.check,
    what: `little memory ${room.where} for the copies that writes make during a save`,
    why: `${formatBytes(room.free)} free, ${formatBytes(wanted)} wanted (the server has ${formatBytes(facts.data.rss)}, the last save copied ${formatBytes(facts.data.lastCopied)})`,
    next: room.next,
  });
  if (room.free < least) refusals.push(problem(least));
  else warnings.push(problem(cautious));
}

/** fork() reserves the whole process once more where the kernel keeps count (vm.overcommit_memory 2). */
function judgeOvercommit({ host, data }: PreflightFacts, { refusals, warnings }: Judgement): void {
  if (host === undefined) return;
  const next = 'set vm.overcommit_memory = 1, as Redis advises';
  const left = Math.max(0, host.commitLimit - host.committed);
  if (host.overcommit === 2 && left < data.rss)
    refusals.push({
      check: 'overcommit',
      what: 'the kernel would not let the server fork',
      why: `vm.overcommit_memory is 2, ${formatBytes(left)} of the commit limit are left, and the server has ${formatBytes(data.rss)}`,
      next,
    });
  if (host.overcommit === 0 && host.available < data.rss)
    warnings.push({
      check: 'overcommit',
      what: 'the kernel may not let the server fork',
      why: `vm.overcommit_memory is 0, ${formatBytes(host.available)} of memory are available, and the server has ${formatBytes(data.rss)}`,
      next,
    });
}
