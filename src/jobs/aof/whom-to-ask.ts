import type { AofSource } from '../../backup/aof/aof-source.ts';
import type { CheckedAof } from '../../backup/aof/check-set.ts';
import type { AofProblem } from '../../backup/aof/facts.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import { engineOf } from '../../redis/server.ts';
import { hostServer } from '../../redis/process/tools.ts';

/**
 * The server that it is of, or which version has written it. Where nobody says so: whatever server this host has, whose word
 * counts for less.
 */
export async function whomToAsk(
  checked: CheckedAof,
  { layout }: AofSource,
  { info, withTool, withLoad }: { info: Info | undefined; withTool: boolean; withLoad: boolean },
): Promise<{ info: Info; stranger?: string }> {
  const known = info ?? infoOfWriter(checked);
  if (known.size > 0 || !(withTool || withLoad)) return { info: known };
  const other = await hostServer();
  if (other === undefined) return { info: known };
  const { engine, version } = engineOf(other);
  const reads = layout === 'single' || engine === 'valkey' || Number.parseInt(version, 10) >= 7;
  return reads ? { info: other, stranger: `${engine} ${version}` } : { info: known };
}

/** The server that writes it may be a newer one. */
export function doubted(problem: AofProblem, stranger: string): AofProblem {
  return {
    ...problem,
    verdict: 'unknown',
    severity: 'warning',
    summary: `${stranger} of this host does not take it, and nothing says which server it is of: ${problem.summary}`,
  };
}

/** As the base says it; empty where there is none that does. */
export function infoOfWriter({ scanned }: CheckedAof): Info {
  const writer = scanned.find(({ scan }) => scan.preamble?.writtenBy !== undefined)?.scan.preamble?.writtenBy;
  return new Map(writer === undefined ? [] : [[`${writer.engine}_version`, writer.version]]);
}
