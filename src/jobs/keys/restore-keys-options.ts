import type { KeyPlan } from '../../backup/restore-keys/judge-key-plan.ts';
import type { KeyChoice } from '../../backup/restore-keys/selection.ts';
import type { FunctionCounts } from '../../backup/restore-keys/function-loader.ts';
import type { TtlChoice } from '../../backup/restore-keys/times-to-live.ts';
import type { DamagedValue, TallyCounts } from '../../backup/restore-keys/tally.ts';
import type { ExistingKeys } from '../../backup/restore-keys/writer-options.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Progress } from '../../domain/progress.ts';
import type { RedisTarget } from '../../redis/connection/target.ts';
import type { KeySource } from './key-source.ts';

export interface RestoreKeysOptions {
  source: KeySource;
  target: RedisTarget;
  choice: KeyChoice;
  toDatabase: number | undefined;
  existing: ExistingKeys;
  /** When left out: keep. */
  ttl?: TtlChoice | undefined;
  /** Load the function libraries of the dump, too. */
  withFunctions?: boolean | undefined;
  /** Leave out what is damaged, and write the rest. */
  skipDamaged?: boolean | undefined;
  /** Is told each value that is left out. */
  onDamaged?: ((value: DamagedValue) => void) | undefined;
  /** Only plan. */
  dryRun: boolean;
  /** Begin anew, wherever an earlier run has stopped. */
  restart: boolean;
  /** Nobody is asked, so nobody needs to see the plan first. */
  unasked: boolean;
  /** Shows the plan and asks. */
  agree(plan: KeyPlan): Promise<boolean>;
}

export interface RestoreKeysContext {
  /** Where the journal is kept; undefined: a run that is cut off begins anew. */
  stateDirectory: string | undefined;
  clock: Clock;
  signal: AbortSignal;
  progress: Progress;
}

export interface RestoreKeysResult extends TallyCounts {
  /** Records of the dump that an earlier run had done; null when this one began anew. */
  resumed_from: number | null;
  /** null: they were not asked for. */
  functions: FunctionCounts | null;
  seconds: number;
  /** Of this run. */
  keys_per_second: number;
}

export interface RestoreKeysReport {
  plan: KeyPlan;
  /** null: only planned, or not agreed to. */
  result: RestoreKeysResult | null;
}
