import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  readCgroupMemory,
  readHostMemory,
  type KernelRoots,
} from '../../../../src/lib/memory/host-memory.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

/** Trees as the kernel shows them: control groups with limits cannot be made everywhere. */
function tree(files: Record<string, string>): KernelRoots {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return { proc: join(folder, 'proc'), cgroup: join(folder, 'cgroup') };
}

test('this host', async () => {
  const memory = await readHostMemory();
  expect(memory.available).toBeGreaterThan(2 ** 20);
  expect(memory.commitLimit).toBeGreaterThan(2 ** 20);
  expect([0, 1, 2]).toContain(memory.overcommit);
});

test('meminfo is in KiB', async () => {
  const roots = tree({
    'proc/meminfo': 'MemTotal:  9 kB\nMemAvailable:    2048 kB\nCommitLimit:  3 kB\nCommitted_AS: 4 kB\n',
    'proc/sys/vm/overcommit_memory': '2\n',
  });
  expect(await readHostMemory(roots)).toEqual({
    available: 2 ** 21,
    commitLimit: 3072,
    committed: 4096,
    overcommit: 2,
  });
});

test('version 2: the tightest level counts, and cache that can be dropped is room', async () => {
  const roots = tree({
    'proc/42/cgroup': '0::/system.slice/redis.service\n',
    'cgroup/system.slice/memory.max': '1000\n',
    'cgroup/system.slice/memory.current': '900\n',
    'cgroup/system.slice/memory.stat': 'anon 5\ninactive_file 50\nactive_file 7\n',
    'cgroup/system.slice/redis.service/memory.max': '800\n',
    'cgroup/system.slice/redis.service/memory.current': '300\n',
    'cgroup/system.slice/redis.service/memory.stat': 'inactive_file 0\n',
  });
  expect(await readCgroupMemory(42, roots)).toEqual({ limit: 1000, free: 150 });
});

test('no limit', async () => {
  const stat = { 'cgroup/a/memory.current': '1\n', 'cgroup/a/memory.stat': 'inactive_file 0\n' };
  const roots = tree({ 'proc/42/cgroup': '0::/a\n', 'cgroup/a/memory.max': 'max\n', ...stat });
  expect(await readCgroupMemory(42, roots)).toBe(undefined);
  expect(await readCgroupMemory(43, roots)).toBe(undefined);
});

test('version 1, beside other controllers', async () => {
  const roots = tree({
    'proc/42/cgroup': '9:name=systemd:/a\n4:memory:/a/b\n1:cpu:/x\n0::/\n',
    'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'cgroup/memory/memory.usage_in_bytes': '77\n',
    'cgroup/memory/memory.stat': 'total_inactive_file 1\n',
    'cgroup/memory/a/b/memory.limit_in_bytes': '4096\n',
    'cgroup/memory/a/b/memory.usage_in_bytes': '5000\n',
    'cgroup/memory/a/b/memory.stat': 'inactive_file 9\ntotal_inactive_file 1000\n',
  });
  expect(await readCgroupMemory(42, roots)).toEqual({ limit: 4096, free: 96 });
});

test('in a container the host’s path is not there: the limit is at the root', async () => {
  const roots = tree({
    'proc/1/cgroup': '0::/../../kubepods/pod1\n',
    'cgroup/memory.max': '2048\n',
    'cgroup/memory.current': '48\n',
    'cgroup/memory.stat': 'inactive_file 0\n',
  });
  expect(await readCgroupMemory(1, roots)).toEqual({ limit: 2048, free: 2000 });
});
