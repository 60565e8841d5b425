import { setTimeout as delay } from 'node:timers/promises';
import { openChannel } from '../../alert/channels/index.ts';
import { decide, retireUnwatched, tellable } from '../../alert/decide.ts';
import { Deliverer } from '../../alert/deliver.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { enableChannels } from '../../state/alerts/channels.ts';
import { onRing } from '../../state/alerts/ring.ts';
import { takeLock, type Lock } from '../../state/locks/lock.ts';
import { agentItself, channelsDue, recordChannels } from '../alerts/channel-findings.ts';
import { alertPolicy } from '../alerts/policy.ts';
import type { App } from '../build-app.ts';
import { rulesById } from '../rules.ts';
import { startDeadmen } from './deadman.ts';

export interface Delivery {
  /** Ends after what is being sent; what waits is sent after the next start. */
  stop(): Promise<void>;
}

/** Held by whoever delivers, so that one does, and that others can see whether anybody does. */
export const deliveryLock = { instance: agentItself, kind: 'deliver' };

/** Asked again at least so often, although nobody rang: a ring is only the fast way. */
const longestWait = 60_000;
/** What is sent may take so long to end when the agent does. */
const drain = 10_000;

/** Decides what is told and sends it, whenever somebody rings or something is due. Says nothing where no channel is configured. */
export function startDelivery(app: App): Delivery {
  const { clock, log, settings } = app;
  const state = app.state();
  const policy = alertPolicy(app);
  const names = tellable(settings.alerts);
  const ended = new AbortController();
  let lock: Lock | undefined;
  let wake: (() => void) | undefined;
  let rung = false;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  const deliverer = new Deliverer({
    state,
    clock,
    log,
    giveUpAfter: settings.alerts.give_up_after,
    redact: app.redact,
    random: () => Math.random(),
    async open(name) {
      const channel = settings.alerts.channels.find((each) => each.name === name);
      if (channel === undefined || channel.type === 'deadman') throw new Error(`there is no channel ${name}`);
      return openChannel(channel, app.channelTools());
    },
  });
  const cut = new AbortController();

  /** Returns when to ask again. */
  function turn(): number {
    const now = clock.now();
    if (lock === undefined) {
      lock = tryLock(app);
      if (lock === undefined) return now + longestWait;
      enableChannels(state, names);
      const instances = [...settings.instances.map(({ name }) => name), agentItself];
      retireUnwatched(state, { instances, rules: new Set(rulesById.keys()) }, now);
    }
    recordChannels(app.sink(), names);
    const next = decide(state, policy, now);
    deliverer.start(names, cut.signal, ring);
    const times = [next, deliverer.next(names), channelsDue(state, now), now + longestWait];
    return Math.min(...times.filter((time) => time !== null));
  }

  async function loop(): Promise<void> {
    const stopListening = onRing(settings.state.path, ring);
    try {
      while (!ended.signal.aborted) {
        rung = false;
        let next = clock.now() + longestWait;
        try {
          next = turn();
        } catch (error) {
          log.error({ cause: messageOf(error) }, 'cannot decide what is told');
        }
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
          if (rung || ended.signal.aborted) resolve();
        });
        const sleep = new AbortController();
        await Promise.race([
          woken,
          clock.sleep(Math.max(0, next - clock.now()), sleep.signal).catch(() => {}),
        ]);
        sleep.abort();
      }
    } finally {
      stopListening();
    }
  }

  const running = loop();
  const deadmen = startDeadmen(app);
  return {
    async stop() {
      ended.abort();
      wake?.();
      await running;
      // What the last runs came to.
      if (lock !== undefined) turn();
      await deadmen.stop();
      const late = new AbortController();
      void delay(drain, undefined, { signal: late.signal }).then(
        () => cut.abort(new AgentError('interrupted', 'the agent was stopped')),
        () => {},
      );
      await deliverer.close();
      late.abort();
      lock?.release();
      lock = undefined;
    },
  };
}

function tryLock({ settings, clock, log }: App): Lock | undefined {
  try {
    return takeLock(settings.state.path, { ...deliveryLock, clock });
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'locked') throw error;
    log.warn(
      { cause: error.message },
      'another daemon runs on this state and delivers the alerts: what is scheduled is done by both, so stop one',
    );
    return undefined;
  }
}
