/** How long something took, milliseconds. */
export interface Latency {
  p50: number;
  p95: number;
  /** Operations a second. */
  per_second: number;
}

export interface ConnectionStep {
  name: string;
  verdict: 'ok' | 'failed' | 'skipped';
  /** What failed and why; null when nothing. */
  problem: string | null;
  hint: string | null;
  latency: Latency | null;
}

/** What `check --connection` came to, and what `--baseline` reads again. */
export interface ConnectionReport {
  schema: 1;
  /** Without user and password. */
  server: string;
  at: string;
  /** Bytes of each value, and how many operations of each kind were timed. */
  value_bytes: number;
  rounds: number;
  steps: ConnectionStep[];
}

/** One step before and now. */
export interface StepChange {
  name: string;
  before: number;
  after: number;
  verdict: 'same' | 'better' | 'worse';
}

/** Less is the noise of a busy host, milliseconds. */
const noticed = 3;

/**
 * Compares medians: worse is what takes twice as long as before and at least 3 ms longer. A round trip over a loopback
 * varies by more than its own length from run to run, and nobody waits for half a millisecond.
 */
export function compareRuns(before: ConnectionReport, after: ConnectionReport): StepChange[] {
  return after.steps.flatMap(({ name, latency }): StepChange[] => {
    const old = before.steps.find((step) => step.name === name)?.latency;
    if (latency === null || old === null || old === undefined) return [];
    const worse = isMore(old.p50, latency.p50);
    const better = isMore(latency.p50, old.p50);
    const verdict = worse ? 'worse' : better ? 'better' : 'same';
    return [{ name, before: old.p50, after: latency.p50, verdict }];
  });
}

function isMore(one: number, other: number): boolean {
  return other > 2 * one && other - one >= noticed;
}

/** Of at least one time, milliseconds each. */
export function latencyOf(times: readonly number[], operations = times.length): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const total = times.reduce((sum, time) => sum + time, 0);
  return {
    p50: rounded(at(0.5)),
    p95: rounded(at(0.95)),
    per_second: Math.round((operations / total) * 1000),
  };
}

/** To the microsecond. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** A report as it was written as JSON. Throws at what is none. */
export function readConnectionReport(data: unknown): ConnectionReport {
  if (!isReport(data)) throw new TypeError('it is no result of this command');
  return data;
}

function isReport(data: unknown): data is ConnectionReport {
  if (typeof data !== 'object' || data === null || !('schema' in data) || !('steps' in data)) return false;
  return (
    data.schema === 1 &&
    Array.isArray(data.steps) &&
    data.steps.every(
      (step: unknown) =>
        typeof step === 'object' &&
        step !== null &&
        'name' in step &&
        'latency' in step &&
        (step.latency === null || Number.isFinite(Reflect.get(Object(step.latency), 'p50'))),
    )
  );
}
