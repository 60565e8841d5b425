import { buildApp, type App } from '../../../src/app/build-app.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import type { Log } from '../../../src/domain/log.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import type { TestConfig } from './cli.ts';
import { handsProgram } from './hands-program.ts';
import { memoryLog } from './memory-log.ts';

/** The agent in this process, for jobs that are to be watched step by step. It keeps the rights that the test has. */
export async function openApp(
  { path }: Pick<TestConfig, 'path'>,
  log: Log = memoryLog(),
  clock: Clock = systemClock,
): Promise<App> {
  return await buildApp({
    configPath: path,
    env: {},
    clock,
    log,
    secrets: [],
    keepRoot: true,
    program: handsProgram(),
  });
}
