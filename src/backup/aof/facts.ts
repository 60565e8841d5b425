import type { Severity } from '../../domain/finding.ts';
import type { AofManifest } from '../../formats/aof/aof-manifest.ts';
import type { AofScan } from '../../formats/aof/aof-scanner.ts';
import type { AofCut } from './describe-cut.ts';

/** Worst last. `off` and `starting` mean that there is nothing to check. */
export const aofVerdicts = [
  'ok',
  'off',
  'starting',
  'unexpected',
  'unknown',
  'torn',
  'config',
  'mismatch',
  'sequence',
  'missing',
  'corrupt',
  'hostile',
] as const;
export type AofVerdict = (typeof aofVerdicts)[number];

export interface AofProblem {
  verdict: AofVerdict;
  severity: Severity;
  /** The file it is about, by its bare name; null: the set as a whole. */
  file: string | null;
  summary: string;
  remedy: string;
}

export interface AofFileFacts {
  name: string;
  type: 'b' | 'i' | 'single';
  seq: number | undefined;
  extra: [key: string, value: string][];
  size: number;
  /** Nanoseconds since 1970. */
  modified: string;
  scan: AofScan;
}

export interface AofSetFacts {
  /** In the order of loading. */
  files: AofFileFacts[];
  manifest: AofManifest | undefined;
  missing: string[];
  /** Where the base lies that a server moves when it starts: an upgrade was cut off. */
  unmoved?: string | undefined;
  unlisted: string[];
  /** What a cut would take, for files that are not sound to their end. */
  cuts: AofCut[];
  /** How much the server said that it has written, before it was opened. */
  written?: number | undefined;
  /** Does a server write it now? Then nothing may be torn for long. */
  live: boolean;
  /** undefined: not known, so the default (yes) is assumed and said. */
  loadTruncated: boolean | undefined;
}
