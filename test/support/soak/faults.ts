import { evaluators } from '../../../src/monitor/evaluate/rules/index.ts';
import type { Step } from '../monitor/samples.ts';

const minute = 60_000;

/** What may befall a server, and what somebody is to be told of it. */
interface FaultKind {
  rule: string;
  severity: string;
  /** What a poll sees meanwhile. */
  step: Step;
}

const mib = 2 ** 20;

const faultKinds: readonly FaultKind[] = [
  { rule: 'server-down', severity: 'critical', step: { up: 'refused' } },
  { rule: 'server-busy', severity: 'high', step: { up: 'busy' } },
  { rule: 'writes-refused', severity: 'critical', step: { up: 'misconf' } },
  { rule: 'PER04', severity: 'critical', step: { values: { save_last_ok: 0 } } },
  { rule: 'memory-high', severity: 'critical', step: { values: { memory_used_bytes: 980 * mib } } },
  { rule: 'memory-high', severity: 'warning', step: { values: { memory_used_bytes: 860 * mib } } },
  { rule: 'clients-many', severity: 'warning', step: { values: { clients_connected: 80 } } },
];

export interface Fault extends FaultKind {
  instance: string;
  from: number;
  until: number;
  /** Long enough for its rule: whoever is told of a shorter one is told of nothing. */
  told: boolean;
}

/** The rule's own patience and how long it goes on firing, milliseconds. */
export function patienceOf(rule: string): { for: number; keepFiring: number } {
  const found = evaluators.find((each) => each.rule.id === rule)?.rule;
  return { for: found?.for ?? 0, keepFiring: found?.keepFiring ?? 0 };
}

/**
 * Faults of one instance from `start` to `end`, one after the other with more hours in between than a notice may be late: some a good deal shorter than
 * their rule's patience, the others longer. `random` gives 0 to 1.
 */
export function planFaults(
  instance: string,
  { start, end, random }: { start: number; end: number; random: () => number },
): Fault[] {
  const faults: Fault[] = [];
  let at = start + 30 * minute;
  for (;;) {
    const kind = faultKinds[Math.floor(random() * faultKinds.length)] ?? faultKinds[0]!;
    const patience = patienceOf(kind.rule).for;
    const short = patience >= 2 * minute && random() < 0.3;
    const length = short ? patience / 2 : patience + 3 * minute + random() ** 3 * 20 * 60 * minute;
    if (at + length > end - 12 * 60 * minute) return faults;
    faults.push({ ...kind, instance, from: at, until: at + length, told: !short });
    at += length + (6 + 16 * random()) * 60 * minute;
  }
}
