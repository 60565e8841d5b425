import { childScript } from '../house/child-script.ts';

/** What is started to work in data directories, for an agent in the test's own process; a child of a test starts itself. */
export function handsProgram(): string[] {
  const own = process.argv[1] ?? '';
  return [process.execPath, /-child\.(?:mjs|ts)$/.test(own) ? own : childScript('agent/hands-child')];
}
