import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { agentProgram } from './agent-program.ts';
import type { TestConfig } from './cli.ts';

/** Can this test show an agent another host's name, machine id and mounts? That takes namespaces of its own. */
export const canBeOtherHost = tryNamespaces();

function tryNamespaces(): boolean {
  try {
    execFileSync('unshare', ['--mount', '--uts', 'hostname', 'tried'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface OtherHost {
  config: TestConfig;
  /** A folder that is mounted read-only there. */
  readOnly?: string;
  /** Keep this host's name and machine id: only the mounts differ. */
  sameHost?: boolean;
}

/** Runs the agent as if on another host; gives the document that it prints, and its exit status. */
export async function runOnOtherHost(
  args: string[],
  { config, readOnly = '', sameHost = false }: OtherHost,
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the command documents
): Promise<{ code: number; stderr: string; json: any }> {
  const machine = join(config.folder, 'machine-id');
  writeFileSync(machine, '0123456789abcdef0123456789abcdef\n');
  const prepare = [
    'set -e',
    'if [ -n "$1" ]; then hostname other-host; [ ! -e /etc/machine-id ] || mount --bind "$1" /etc/machine-id; fi',
    '[ -z "$2" ] || { mount --bind "$2" "$2"; mount -o remount,bind,ro "$2"; }',
    'shift 2',
    'exec "$@"',
  ].join('\n');
  const agent = [...agentProgram(), '--config', config.path, '--json', ...args];
  const words = ['--mount', '--uts', 'sh', '-c', prepare, 'sh', sameHost ? '' : machine, readOnly, ...agent];
  const run = promisify(execFile)('unshare', words);
  const { stdout, stderr, code } = await run.then(
    (said) => ({ ...said, code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  return { code, stderr, json: JSON.parse(stdout) };
}
