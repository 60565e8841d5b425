import { counted, verb } from '../../lib/text/counted.ts';
import type { CheckedAof } from '../../backup/aof/check-set.ts';
import type { AofProblem } from '../../backup/aof/facts.ts';
import { AgentError } from '../../domain/errors.ts';
import { atLeast } from '../../domain/finding.ts';
import { loadAofCopy, type LoadCopyOptions } from '../prove/load-aof-copy.ts';
import { soundParts } from '../prove/sound-aof.ts';

/** What a scratch server made of a copy. */
export interface AofLoadReport {
  /** null: it was not loaded. */
  ok: boolean | null;
  keys: number | null;
  /** Commands that it refused; null: it does not count them (before 7.0), or was not asked. */
  refused: number | null;
  seconds: number | null;
  /** One line. */
  summary: string;
}

/**
 * Loads what was found sound in a scratch server of the server's own version: that finds what framing cannot tell, such as
 * commands on keys of another type. It does not find commands that are applied a second time where that is no error (INCR,
 * RPUSH): then it holds other data, and nobody knows.
 */
export async function loadCheckedAof(
  checked: CheckedAof,
  options: LoadCopyOptions,
): Promise<{ report: AofLoadReport; problems: AofProblem[] }> {
  const { set, problems } = checked;
  const nothing: AofLoadReport = { ok: null, keys: null, refused: null, seconds: null, summary: '' };
  const bad = problems.some(({ severity, verdict }) => atLeast(severity, 'high') && verdict !== 'torn');
  if (set === undefined || bad)
    return { report: { ...nothing, summary: 'not loaded: it is not sound' }, problems: [] };
  const parts = soundParts(checked);
  try {
    const loaded = await loadAofCopy(set, parts, options);
    if ('notLoaded' in loaded)
      return { report: { ...nothing, summary: `not loaded: ${loaded.notLoaded}` }, problems: [] };
    const { keys, seconds, refused } = loaded;
    const report: AofLoadReport = {
      ok: (refused ?? 0) === 0,
      keys,
      refused: refused ?? null,
      seconds,
      summary: `a scratch server loaded ${counted(keys, 'key')} of it in ${seconds.toFixed(1)} s`,
    };
    return refused === undefined || refused === 0
      ? { report, problems: [] }
      : {
          report: { ...report, summary: `${report.summary}, and refused ${counted(refused, 'command')}` },
          problems: [refusedCommands(refused)],
        };
  } catch (error) {
    if (!(error instanceof AgentError) || error.reason === undefined) throw error;
    // What this host's server lacks says nothing of the set: it keeps the verdict that reading it led to.
    if (error.reason === 'version' || error.reason === 'module')
      return { report: { ...nothing, summary: `not loaded: ${error.message}` }, problems: [] };
    if (error.code !== 'damaged' && error.reason !== 'command') throw error;
    return { report: { ...nothing, ok: false, summary: error.message }, problems: [unloadable(error)] };
  }
}

function refusedCommands(count: number): AofProblem {
  return {
    verdict: 'mismatch',
    severity: 'critical',
    file: null,
    summary: `${count} of its commands ${verb(count, 'fails when it is', 'fail when they are')} loaded (a key of another type, say): a start would pass over ${verb(count, 'it', 'them')}, and hold other data than was written`,
    remedy: 'do not restart the server with it; while it runs, BGREWRITEAOF makes a whole set anew',
  };
}

function unloadable({ message }: AgentError): AofProblem {
  return {
    verdict: 'corrupt',
    severity: 'critical',
    file: null,
    summary: message,
    remedy: 'do not restart the server with it; while it runs, BGREWRITEAOF makes a whole set anew',
  };
}
