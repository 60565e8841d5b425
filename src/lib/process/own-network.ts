import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Confined } from './confine.ts';

let launcher: readonly string[] | undefined;

/**
 * The same program in a network of its own, with nothing in it but loopback: for root, who alone can make one everywhere. As
 * it is where that cannot be had (not root, a container without the right, a host without these tools).
 */
export function inOwnNetwork(program: Confined): Confined {
  launcher ??= probe();
  const [command, ...words] = launcher;
  if (command === undefined) return program;
  return { ...program, command, args: [...words, program.command, ...program.args] };
}

function probe(): readonly string[] {
  if (process.geteuid?.() !== 0) return [];
  const [unshare, ip] = [
    ['/usr/bin/unshare', '/bin/unshare'],
    ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip'],
  ].map((paths) => paths.find((path) => existsSync(path)));
  if (unshare === undefined || ip === undefined) return [];
  const words = ['--net', '--', '/bin/sh', '-c', `${ip} link set lo up && exec "$@"`, 'sh'];
  try {
    execFileSync(unshare, [...words, '/bin/true'], { stdio: 'ignore', timeout: 5000, env: {} });
    return [unshare, ...words];
  } catch {
    return [];
  }
}
