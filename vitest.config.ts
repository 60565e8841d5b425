import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/house/longest-first.ts';

/** Files that need a process of their own: a mocked module, its open files and its memory counted. */
const apart = ['restore/unloaded', 'backup/filesystem-store', 'monitor/watch'].map(
  (name) => `test/integration/${name}.test.ts`,
);

export default defineConfig({
  test: {
    // Servers are real processes on two shared cores: few workers, generous deadlines, no retries. A third one works
    // while another waits for its servers.
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    retry: 0,
    // What is waited for comes when it comes: the deadline is for what never does.
    expect: { poll: { timeout: 60_000, interval: 20 } },
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/support/house/global-setup.ts'],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
    projects: [
      {
        extends: true,
        // They hold nothing outside of themselves: a process for all of them, which loads the sources once.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false },
      },
      { extends: true, test: { name: 'apart', include: apart } },
      {
        extends: true,
        // A process for all that come to a worker: the agent's sources are loaded, and made fast by V8, once.
        test: {
          name: 'servers',
          include: ['test/{contract,integration,e2e}/**/*.test.ts'],
          exclude: apart,
          isolate: false,
          // Room for a young generation that is not copied again and again, and for what is kept.
          execArgv: ['--max-semi-space-size=32', '--initial-old-space-size=512'],
          setupFiles: ['test/support/house/between-files.ts'],
        },
      },
    ],
  },
});
