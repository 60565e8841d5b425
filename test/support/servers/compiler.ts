import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Of this host; undefined where there is none. */
export const compiler = ['cc', 'gcc'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Compiles a file of this repository into a program, or a library that programs can load, at that path. */
export function compile(source: string, program: string, { shared = false } = {}): void {
  if (compiler === undefined) throw new Error('no C compiler is here');
  const flags = ['-O1', '-Wall', '-Wextra', '-Werror', '-pthread', ...(shared ? ['-shared', '-fPIC'] : [])];
  execFileSync(compiler, [...flags, '-o', program, join(import.meta.dirname, '../../..', source)]);
}
