import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordEvaluation, type Evaluation } from '../../../src/app/findings.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { openState, type State } from '../../../src/state/db/open.ts';
import { episodesSince, openFindings, type EpisodeChanges } from '../../../src/state/episodes.ts';
import { ManualClock } from '../../support/clocks/manual-clock.ts';
import { memoryLog } from '../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../support/house/temp-folder.ts';

const clock = new ManualClock();
let directory: string;
let state: State;

beforeEach(() => {
  directory = makeTempFolder();
  state = openState(directory, { clock, log: memoryLog() });
});
afterEach(() => {
  state.close();
  removeTempFolder(directory);
});

function found(rule: string, more: Partial<Finding> = {}): Finding {
  return {
    instance: 'main',
    rule,
    resource: 'main',
    severity: 'warning',
    summary: 'bad',
    remedy: 'mend it',
    evidence: {},
    ...more,
  };
}

function record(findings: Finding[], more: Partial<Evaluation> = {}): EpisodeChanges {
  const evaluated = [{ rules: ['memory-high', 'clients-high'] }];
  return recordEvaluation(
    { state, clock, log: memoryLog() },
    { instance: 'main', evaluated, findings, ...more },
  );
}

const openRules = (): string[] => openFindings(state, 'main').map(({ rule }) => rule);

test('what is unknown neither opens nor closes', () => {
  record([found('memory-high'), found('clients-high')]);
  const { closed } = record([], { unknown: ['memory-high'] });
  expect(closed.map(({ rule }) => rule)).toEqual(['clients-high']);
  expect(openRules()).toEqual(['memory-high']);
  expect(() => record([found('memory-high')], { unknown: ['memory-high'] })).toThrow(/is none of what/);
  expect(record([]).closed).toHaveLength(1);
});

test.for<[what: string, stray: Finding]>([
  ['rule', found('queue-old')],
  ['resource', found('memory-high', { resource: 'other' })],
  ['instance', found('memory-high', { instance: 'other' })],
])('a finding of another %s than was evaluated is refused, and nothing is recorded', ([, stray]) => {
  record([found('clients-high')]);
  const evaluated = [{ rules: ['memory-high', 'clients-high'], resources: ['main'] }];
  expect(() => record([found('memory-high'), stray], { evaluated })).toThrow(/is none of what was evaluated/);
  expect(openRules()).toEqual(['clients-high']);
});

test('all of an evaluation is written, or nothing', () => {
  record([found('memory-high')]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a defect would do
  const broken = found('clients-high', { summary: undefined as unknown as string });
  expect(() => record([broken])).toThrow('cannot be bound');
  expect(openRules()).toEqual(['memory-high']);
  expect(episodesSince(state, 0)).toHaveLength(1);
});

test('what others have written since counts', () => {
  const other = openState(directory, { clock, log: memoryLog() });
  const both = {
    instance: 'main',
    evaluated: [{ rules: ['memory-high'] }],
    findings: [found('memory-high')],
  };
  expect(recordEvaluation({ state: other, clock, log: memoryLog() }, both).opened).toHaveLength(1);
  expect(record([found('memory-high')])).toMatchObject({ opened: [], closed: [] });
  other.close();
});
