import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** What scripts/test prints at the end; written to the file that REDIS_AGENT_TEST_TOTALS names. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const path = process.env['REDIS_AGENT_TEST_TOTALS'];
    if (path === undefined) return;
    const { passed, failed, skipped, servers } = count(modules);
    const tested = [...servers].map(([name, tests]) => `${name} (${tests})`).toSorted();
    const slowest = modules
      .map((module) => ({
        name: relative(process.cwd(), module.moduleId),
        seconds: Math.round(module.diagnostic().duration / 1000),
        // Tests that wait in vain until they are given up make any file slow.
        outcome: module.ok() ? '' : ', failed',
      }))
      .toSorted((one, other) => other.seconds - one.seconds)
      .slice(0, 10);
    const lines = [
      `slowest files: ${slowest.map(({ name, seconds, outcome }) => `${name} (${seconds} s${outcome})`).join(', ')}`,
      `tested against: ${tested.join(', ') || 'no server'}`,
      `${passed} passed, ${failed + unhandled.length} failed, ${skipped} skipped`,
    ];
    writeFileSync(path, `${lines.join('\n')}\n`);
  }
}

/** Tests name the server or service that they ran against, as in `redis-7.0 › takes a snapshot`. */
const serverName = /\b(?:redis|valkey)-\d+(?:\.\d+)+\b|\b(?:fauxqs|moto|radosgw)\b/g;

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  /** Passed tests by the server that their names tell. */
  servers: Map<string, number>;
}

/** A file that failed outside its tests (it did not load, a hook threw) counts as one failure: no test says so. */
function count(modules: readonly TestModule[]): Totals {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0, servers: new Map() };
  for (const module of modules) {
    let failures = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'failed') failures += 1;
      else if (state === 'passed') totals.passed += 1;
      else totals.skipped += 1;
      if (state !== 'passed') continue;
      for (const name of new Set(test.fullName.match(serverName))) {
        totals.servers.set(name, (totals.servers.get(name) ?? 0) + 1);
      }
    }
    totals.failed += failures === 0 && module.state() === 'failed' ? 1 : failures;
  }
  return totals;
}
