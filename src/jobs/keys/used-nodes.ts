import type { KeyTarget } from '../../backup/restore-keys/judge-target.ts';
import { AgentError } from '../../domain/errors.ts';
import type { RedisTarget } from '../../redis/connection/target.ts';
import { readTenure } from './read-target.ts';

/**
 * The masters of a cluster that were written to. One that was demoted meanwhile may have confirmed what the replica never got
 * that has taken over, and says nothing of it: it only answers MOVED from then on, as it does for slots that were moved with
 * their keys.
 */
export class UsedNodes {
  readonly #tenures = new Map<string, string | null>();

  add({ cluster }: KeyTarget): void {
    for (const { url, tenure } of cluster?.nodes ?? [])
      if (!this.#tenures.has(url)) this.#tenures.set(url, tenure);
  }

  /** The first of them that is not the master that it was. */
  async firstDemoted(target: RedisTarget, signal: AbortSignal): Promise<string | undefined> {
    for (const [url, tenure] of this.#tenures)
      if ((await readTenure(target, url, signal)) !== tenure) return url;
    return undefined;
  }
}

/** After a failover, where nothing is read once more. */
export function demotedError(url: string, again: boolean): AgentError {
  return new AgentError(
    'redis',
    `${url} is not the master any more that it was: what it had confirmed last may be lost`,
    {
      reason: 'failover',
      hint: again
        ? 'replicas have taken over again and again: see redis-cli --cluster check'
        : 'standard input cannot be read again: run this once more, with --skip-existing',
    },
  );
}
