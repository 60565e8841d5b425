import type { UserId } from '../../lib/process/act-as.ts';
import { runCheckTool, type CheckTool } from './tools.ts';

/** What redis-check-aof said. It misses a flipped payload byte, a missing incr, and a base with another's incr. */
export interface AofToolCheck {
  ok: boolean;
  /** Of the file that it found fault with: how far it is right, and how long it is. */
  okUpTo: number | undefined;
  size: number | undefined;
  /** One line: its verdict in its own words. */
  summary: string;
}

/**
 * Runs the tool on a manifest or a single file at the lowest priority. Only ever on a byte copy: it opens files for
 * writing; under root as `user` or nobody, who must be let do that. Rejects when it cannot be run or was killed, or with
 * the signal's reason.
 */
export async function runCheckAof(
  tool: CheckTool,
  file: string,
  signal: AbortSignal,
  user?: UserId,
): Promise<AofToolCheck> {
  const { exitCode, signal: endedBy, output } = await runCheckTool(tool, file, signal, user);
  const analyzed = output.match(/^AOF analyzed: .*$/gm)?.at(-1) ?? '';
  const number = (name: string): number | undefined => {
    const text = new RegExp(`\\b${name}=(\\d+)`).exec(analyzed)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const said =
    endedBy === null ? lines.slice(-2).join(', ') || 'it said nothing' : `it was ended by ${endedBy}`;
  // Before 7.0 the AOF of a server that was never written to: a start takes it for no data.
  const empty = endedBy === null && /^Empty file: /m.test(output);
  return {
    ok: exitCode === 0 || empty,
    okUpTo: number('ok_up_to'),
    size: number('size'),
    summary: exitCode === 0 ? `${tool.argv0}: valid` : `${tool.argv0}: ${empty ? 'empty' : said}`,
  };
}
