import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The SELinux type of a process, `redis_t`, where that is enforced (selinuxfs, proc_pid_attr(5)). Undefined: nothing confines
 * it in that way, or it cannot be seen. `root`: where /sys and /proc are.
 */
export async function selinuxType(pid: number, root = '/'): Promise<string | undefined> {
  const read = async (path: string): Promise<string> =>
    await readFile(join(root, path), 'utf8').catch(() => '');
  if ((await read('sys/fs/selinux/enforce')).trim() !== '1') return undefined;
  // user:role:type:level
  const [, , type] = (await read(`proc/${pid}/attr/current`)).replace(/[\0\n]+$/, '').split(':');
  return type;
}
