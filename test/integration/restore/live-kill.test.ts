import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { livePhases } from '../../../src/backup/restore/live-journal.ts';
import { describeData } from '../../support/describe-data.ts';
import { expectFree, journalOf, prepareLive, removeSources, settings } from '../../support/live-case.ts';
import { recoverRestore, restoreLive } from '../../support/restore-live.ts';

afterAll(removeSources);

/** Where a child kills itself: at every phase of the journal, and inside of one. */
const points = [...livePhases, 'sending', 'sending done', 'making it last'];

describe('killed with -9', () => {
  const cases = points.flatMap((point) => [true, false].map((aof) => ({ point, aof })));
  test.each(cases)('at $point (AOF on: $aof): the next run ends it', async ({ point, aof }) => {
    const { server, old, data, config, id } = await prepareLive({ aof, config: settings });
    const script = join(import.meta.dirname, '../../support/restore-live-child.ts');
    const child = spawn(process.execPath, [script, config.path, id, point], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    expect(existsSync(journalOf(config))).toBe(true);

    const recovery = await recoverRestore(config.path);
    expect(recovery).toMatchObject({ backup: id });
    const expected = recovery?.outcome === 'backup' ? data : old;
    expect(['backup', 'before']).toContain(recovery?.outcome);
    expect(await describeData(server)).toEqual(expected);
    await expectFree(server);
    expect(existsSync(journalOf(config))).toBe(false);
    expect(await recoverRestore(config.path)).toBeNull();
    await server.restart();
    expect(await describeData(server)).toEqual(expected);
    // And the way is free for another.
    await restoreLive(config.path, id, { preBackup: false });
    expect(await describeData(server)).toEqual(data);
  });
});
