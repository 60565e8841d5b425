import type { DeadmanChannelSettings } from '../../domain/settings/alerts.ts';
import type { Checked, ChannelTools, Failure } from './channel.ts';
import { checkReachable, failureOf, hostOf, never, request, urlProblem } from './http.ts';

/** Somebody else who tells when he hears nothing any more: the agent, its host or its network is gone. */
export interface Deadman {
  readonly name: string;
  readonly description: string;
  /** Milliseconds. */
  readonly interval: number;
  /** Undefined when it was heard. */
  ping(signal: AbortSignal): Promise<Failure | undefined>;
  check(signal: AbortSignal): Promise<Checked>;
}

export function openDeadman(
  { name, interval, url: ref }: DeadmanChannelSettings,
  tools: ChannelTools,
): Deadman {
  const url = tools.secret(ref, `url of the channel ${name}`);
  const what = `the dead man's switch at ${hostOf(url.reveal())}`;
  const wrong = urlProblem(url.reveal());
  const invalid =
    wrong === undefined
      ? undefined
      : never(`the url of the channel ${name} ${wrong}`, 'correct it where it is kept');
  return {
    name,
    description: what,
    interval,
    async ping(signal) {
      if (invalid !== undefined) return invalid;
      const answer = await request({ method: 'GET', url: url.reveal(), signal, what, timeout: 10_000 });
      return answer.ok ? failureOf(answer, what) : answer;
    },
    check: async (signal) => invalid ?? checkReachable(url.reveal(), what, signal),
  };
}
