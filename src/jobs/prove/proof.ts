import type { VerificationLevel } from '../../domain/backup.ts';

/** How deep to look; each includes those before it. */
export type VerifyDepth = Extract<VerificationLevel, 'stored' | 'decoded' | 'checked' | 'loaded'>;

export interface ProofOptions {
  depth: VerifyDepth;
  /** Decode every value, whatever the depth beyond `stored` is. */
  deep: boolean;
}

export interface Proof {
  /** As deep as it could be proven. */
  level: VerificationLevel;
  /** One line: what was proven, and why not more. */
  summary: string;
}

/** The same proof, and why it went no deeper. */
export function shallower(proof: Proof, why: string): Proof {
  return { ...proof, summary: `${proof.summary}; no deeper: ${why}` };
}
