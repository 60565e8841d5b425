import { AgentError } from '../../domain/errors.ts';
import type { Layout } from '../../formats/rdb/value-types.ts';

/**
 * keep: keys expire when they would have, and those that have are left out; shift: they have as long as they had when the
 * dump was made; drop: none expires.
 */
export type TtlChoice = 'keep' | 'shift' | 'drop';

/** Hashes that have, or had, fields that expire. */
export const expiringLayouts: ReadonlySet<Layout> = new Set<Layout>([
  'expiring-pairs',
  'expiring-blob',
  'pairs-expiring',
]);

/** When keys and fields of a dump expire where they are written. Milliseconds since 1970; -1: never. */
export class TimesToLive {
  readonly choice: TtlChoice;
  #taken: number | undefined;
  #shift: number | undefined;

  /** `taken`: when the dump was made, where it does not say so itself. */
  constructor(choice: TtlChoice = 'keep', taken?: number) {
    this.choice = choice;
    this.#taken = taken;
  }

  /** The server's own notes at the start of a dump. */
  note(name: string, value: string): void {
    if (name === 'ctime' && /^\d{1,12}$/.test(value)) this.#taken = Number(value) * 1000;
  }

  /** Are values with times of their own in them to be built anew? */
  get rebuilds(): boolean {
    return this.choice !== 'keep';
  }

  /** Throws an AgentError where it cannot be known. One shift for the whole dump, from when it is first asked for. */
  of(expiresAt: number, now: number): number {
    if (expiresAt < 0 || this.choice === 'keep') return expiresAt;
    if (this.choice === 'drop') return -1;
    this.#shift ??= this.#since(now);
    return Math.min(Number.MAX_SAFE_INTEGER, expiresAt + this.#shift);
  }

  #since(now: number): number {
    if (this.#taken !== undefined) return Math.max(0, now - this.#taken);
    throw new AgentError(
      'usage',
      'this dump does not say when it was made, so times to live cannot be shifted',
      {
        hint: 'say --ttl drop, or --ttl keep',
      },
    );
  }
}
