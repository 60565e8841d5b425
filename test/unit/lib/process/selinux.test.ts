// No kernel with SELinux is here: what it shows is laid out as selinuxfs and proc_pid_attr(5) say.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { selinuxType } from '../../../../src/lib/process/selinux.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

test.each([
  ['1', 'system_u:system_r:redis_t:s0\0', 'redis_t'],
  ['1', 'unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\n', 'unconfined_t'],
  ['0', 'system_u:system_r:redis_t:s0\0', undefined],
  ['1', undefined, undefined],
  [undefined, 'docker-default (enforce)\n', undefined],
])('enforce %s, %j', async (enforce, label, type) => {
  const root = makeTempFolder();
  onTestFinished(() => removeTempFolder(root));
  const put = (path: string, text: string | undefined): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    if (text !== undefined) writeFileSync(join(root, path), text);
  };
  put('sys/fs/selinux/enforce', enforce);
  put('proc/7/attr/current', label);
  expect(await selinuxType(7, root)).toBe(type);
});
