import { childFlags, childScript } from '../house/child-script.ts';

/**
 * What is started to work in data directories, for an agent in the test's own process and in children of tests. Those start
 * themselves where no run has bundled it.
 */
export function handsProgram(): string[] {
  const own = process.argv[1] ?? '';
  const itself = process.env['REDIS_AGENT_TEST_RUN'] === undefined && /-child\.(?:mjs|ts)$/.test(own);
  return [process.execPath, ...childFlags, itself ? own : childScript('agent/hands-child')];
}
