import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/house/longest-first.ts';

export default defineConfig({
  test: {
    // Servers are real processes on two shared cores: few workers, generous deadlines, no retries.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    retry: 0,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/house/global-setup.ts'],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
    projects: [
      {
        extends: true,
        // They hold nothing outside of themselves: a process for all of them, which loads the sources once.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: { name: 'servers', include: ['test/{contract,integration,e2e}/**/*.test.ts'] },
      },
    ],
  },
});
