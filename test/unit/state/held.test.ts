import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordAlerts } from '../../../src/alert/record.ts';
import type { Alert } from '../../../src/domain/alert.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { forgetAlerts, knownAlerts, storeAlerts, unsettledAlerts } from '../../../src/state/alerts/alerts.ts';
import { openState, type State } from '../../../src/state/db/open.ts';
import { inTransaction } from '../../../src/state/db/transaction.ts';
import { openFindings, recordFindings } from '../../../src/state/episodes.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { findingOf, hour, minute } from '../../support/alerts/engine-world.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';
import { runs } from '../../support/house/tier.ts';

// What is kept in memory of the alerts and findings that are open is what the file says, whoever has written it.

let directory: string;
let states: State[];
const open = (): State => openState(directory, { clock: new ManualClock(), log: memoryLog() });

beforeEach(() => {
  directory = makeTempFolder();
  states = [open(), open()];
});
afterEach(() => {
  for (const state of states) state.close();
  removeTempFolder(directory);
});

const rules = ['disk', 'memory', 'clients'];
const step = fc.record({
  who: fc.nat(1),
  what: fc.constantFrom('look', 'look', 'look', 'rolled back', 'settle', 'forget'),
  found: fc.subarray(rules),
  severity: fc.constantFrom('warning', 'critical'),
  later: fc.constantFrom(1, minute, hour, 3 * hour),
});

/** One that knows nothing yet. */
function anew<T>(read: (state: State) => T): T {
  const state = open();
  try {
    return read(state);
  } finally {
    state.close();
  }
}

/** Does it, and then it was never done. */
function rolledBack(state: State, work: () => void): void {
  const failing = (): void =>
    inTransaction(state, () => {
      work();
      throw new Error('no room');
    });
  expect(failing).toThrow('no room');
}

test('two connections, rolled back or not, read what one that has just begun reads', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let now = Date.parse('2026-11-21T12:00:00Z');
      for (const { who, what, found, severity, later } of steps) {
        const state = states[who]!;
        now += later;
        const findings = found.map((rule): Finding => ({ ...findingOf(rule), severity }));
        const look = (): void => {
          const evaluated = [{ rules }];
          recordFindings(state, { instance: 'main', evaluated, now }, findings);
          recordAlerts(state, { instance: 'main', evaluated, findings }, new Map(), now);
        };
        if (what === 'look') inTransaction(state, look);
        else if (what === 'rolled back') rolledBack(state, look);
        else if (what === 'settle')
          inTransaction(state, () => {
            const over = unsettledAlerts(state).filter((alert) => alert.state === 'resolved');
            storeAlerts(
              state,
              over.map((alert) => ({ ...alert, settled_at: now })),
            );
          });
        else forgetAlerts(state, now);
        const span = { now, span: hour };
        const byId = (a: Alert, b: Alert): number => Number(a.id) - Number(b.id);
        for (const each of states) {
          expect(unsettledAlerts(each)).toEqual(anew(unsettledAlerts));
          expect(knownAlerts(each, 'main', span).toSorted(byId)).toEqual(
            anew((fresh) => knownAlerts(fresh, 'main', span)).toSorted(byId),
          );
          // Nothing is opened twice, and nothing stays open.
          expect(
            openFindings(each, 'main')
              .map(({ rule }) => rule)
              .toSorted(),
          ).toEqual(anew((fresh) => openFindings(fresh, 'main').map(({ rule }) => rule)).toSorted());
        }
      }
      for (const state of states) state.close();
      removeTempFolder(directory);
      directory = makeTempFolder();
      states = [open(), open()];
    }),
    { numRuns: runs(60) },
  );
});

test('what is found stays one finding when each of two processes looks in turn', () => {
  const evaluated = [{ rules }];
  for (let round = 0; round < 6; round++)
    inTransaction(states[round % 2]!, () => {
      const findings = [findingOf('disk'), ...(round % 3 === 0 ? [findingOf('memory')] : [])];
      recordFindings(states[round % 2]!, { instance: 'main', evaluated, now: 1000 + round }, findings);
    });
  expect(openFindings(states[0]!, 'main').map(({ rule, id }) => [rule, id])).toEqual([['disk', 1]]);
});
