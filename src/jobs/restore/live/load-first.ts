import type { LiveServerFacts } from '../../../backup/restore/gather-live.ts';
import type { Guard } from '../../../backup/restore/judge-guards.ts';
import type { DisklessLoad } from '../../../backup/restore/judge-live.ts';
import { compareCounts } from '../../../backup/verify/compare-counts.ts';
import type { Manifest } from '../../../domain/backup.ts';
import { AgentError, messageOf } from '../../../domain/errors.ts';
import type { Info } from '../../../formats/info/parse-info.ts';
import { toolPlaces } from '../../../redis/service/find-service.ts';
import { findCheckTool, type CheckTool } from '../../../redis/process/tools.ts';
import { loadDump } from '../../fetch/load-beside.ts';
import type { JobContext } from '../../job.ts';
import { lackOfMemory } from '../../prove/load-aof.ts';
import type { Load } from '../../../state/loads.ts';
import { describeLoad, noteLoaded } from '../../prove/loaded-before.ts';
import type { DeepProof } from '../../prove/prove-deeply.ts';
import { feedOf } from './take-over.ts';

export interface LoadFirst {
  facts: LiveServerFacts;
  proof: DeepProof;
  mode: DisklessLoad;
  /** That a scratch server has loaded these very bytes before. */
  before: Load | undefined;
  /** Go on although no scratch server can load it. */
  insisted: boolean;
}

/**
 * Has a scratch server of the same version, with as many databases, take the very bytes that the server will be sent: it
 * would end at what it cannot load. Resolves with how far the backup is proven then; throws an AgentError `refused` where it
 * was not loaded.
 */
export async function loadFirst(
  context: JobContext,
  manifest: Manifest,
  { facts, proof, mode, before, insisted }: LoadFirst,
): Promise<string> {
  const { signal, progress } = context;
  if (before !== undefined) return describeLoad(before);
  const { tool, lack } = await findScratch(context, manifest, facts.info);
  if (tool === undefined) return unlessRefused(context, lack, insisted);
  progress.report({ phase: 'proving' });
  try {
    const loaded = await loadDump(context, tool, {
      feed: feedOf(context, manifest, { proof, mode }),
      databases: facts.server.databases,
      signal,
      onProgress: (share) => progress.report({ phase: 'proving', done: share, total: 1 }),
    });
    const problem = compareCounts({ databases: proof.databases, exact: true }, loaded);
    if (problem === undefined) {
      noteLoaded(context, manifest, facts.server);
      return 'loaded in a scratch server';
    }
    throw new AgentError('failed', `it was loaded, but ${problem}`);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AgentError)) throw error;
    // This host ended it, which says nothing of the backup.
    if (error.reason === 'killed') return unlessRefused(context, error.message, insisted);
    // The store's own failure, or what was read a second time was not what was proven.
    if (error.code === 'repository' || error.code === 'damaged') throw error;
    throw new AgentError(
      'refused',
      `no live restore into instance ${context.instance.name}: a scratch server of its version does not load backup ${manifest.id} (${messageOf(error)}), and it would end at it`,
      {
        cause: error,
        reason: 'unloadable',
        hint: 'see: redis-agent rdb check --deep; use another backup, or write its keys one by one: --keys',
      },
    );
  }
}

function unlessRefused({ instance, log }: JobContext, lack: string, insisted: boolean): string {
  if (!insisted) {
    const { why, instead } = unloaded(lack);
    throw new AgentError('refused', `no live restore into instance ${instance.name}: ${why}`, {
      reason: 'unloaded',
      hint: `${instead}, or insist with --allow-unloaded`,
    });
  }
  log.warn({ lack }, 'restoring live what no scratch server has loaded');
  return `not loaded: ${lack}`;
}

/** The program of a scratch server of that version, or why none can load the backup here. */
export async function findScratch(
  { progress, instance, signal }: JobContext,
  manifest: Manifest,
  info: Info,
): Promise<{ tool: CheckTool; lack: undefined } | { tool: undefined; lack: string }> {
  progress.report({ phase: 'checking' });
  const memory = await lackOfMemory(manifest.server.used_memory);
  if (memory !== undefined) return { tool: undefined, lack: memory };
  const found = await findCheckTool('rdb', info, await toolPlaces(instance, signal));
  return found.tool === undefined
    ? { tool: undefined, lack: found.why }
    : { tool: found.tool, lack: undefined };
}

/** What speaks against a live restore of what nobody has loaded before. */
export function unloaded(lack: string): Guard {
  return {
    name: 'unloaded',
    allowable: true,
    decides: true,
    why: `no scratch server can load it first (${lack}), and the server ends at what it cannot load`,
    instead: 'use --method files',
  };
}
