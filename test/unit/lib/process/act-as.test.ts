import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { actAs } from '../../../../src/lib/process/act-as.ts';

const stranger = { uid: 65_534, gid: 65_534 };

test.skipIf(process.getuid?.() !== 0)(
  'what root’s group may read, a user may not, and root may again',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-agent-act-as-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o755);
    const path = join(folder, 'secret');
    writeFileSync(path, 'of root', { mode: 0o640 });
    // As sudo and a login have it.
    const before = process.getgroups?.() ?? [];
    onTestFinished(() => process.setgroups?.(before));
    process.setgroups?.([0]);
    expect(() => actAs(stranger, () => readFileSync(path))).toThrow('EACCES');
    expect(process.getgroups?.()).toEqual([0]);
    expect(readFileSync(path, 'utf8')).toBe('of root');
    expect(actAs(undefined, () => readFileSync(path, 'utf8'))).toBe('of root');
  },
);
