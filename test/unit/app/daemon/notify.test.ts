import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openNotifier } from '../../../../src/app/daemon/notify.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

// The descriptor is a file here; test/integration/systemd has the socket.
function withDescriptor(use: (fd: number) => void): string {
  const folder = makeTempFolder();
  const path = join(folder, 'messages');
  const fd = openSync(path, 'a');
  try {
    use(fd);
    return readFileSync(path, 'utf8');
  } finally {
    closeSync(fd);
    removeTempFolder(folder);
  }
}

describe('openNotifier', () => {
  test('without systemd it is silent and says so', () => {
    const notifier = openNotifier({ WATCHDOG_USEC: '1000000' });
    notifier.ready();
    notifier.stopping();
    expect(notifier).toMatchObject({ available: false, watchdogInterval: undefined });
  });

  test('writes the assignments of sd_notify to the descriptor', () => {
    const written = withDescriptor((fd) => {
      const notifier = openNotifier({ REDIS_AGENT_NOTIFY_FD: String(fd) });
      expect(notifier.available).toBe(true);
      notifier.ready();
      notifier.status('backup of main:\n 12 %');
      notifier.watchdog();
      notifier.stopping();
    });
    expect(written).toBe('READY=1STATUS=backup of main: 12 %WATCHDOG=1STOPPING=1');
  });

  test('a reload carries the system-wide monotonic time in microseconds', () => {
    const before = process.hrtime.bigint() / 1000n;
    const written = withDescriptor((fd) => openNotifier({ REDIS_AGENT_NOTIFY_FD: String(fd) }).reloading());
    const [, usec] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(written) ?? [];
    expect(BigInt(usec ?? 0)).toBeGreaterThanOrEqual(before);
    expect(BigInt(usec ?? 0)).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
  });

  test('a descriptor that nobody reads any more does not disturb', () => {
    let notifier = openNotifier({});
    withDescriptor((fd) => {
      notifier = openNotifier({ REDIS_AGENT_NOTIFY_FD: String(fd) });
    });
    expect(() => notifier.ready()).not.toThrow();
  });

  test.for([
    { pid: String(process.pid), interval: 30_000 },
    { pid: undefined, interval: 30_000 },
    { pid: String(process.pid + 1), interval: undefined },
  ])('the watchdog meant for $pid makes $interval', ({ pid, interval }) => {
    withDescriptor((fd) => {
      const env = { REDIS_AGENT_NOTIFY_FD: String(fd), WATCHDOG_USEC: '30000000', WATCHDOG_PID: pid };
      expect(openNotifier(env).watchdogInterval).toBe(interval);
    });
  });

  test('children find nothing of it in the environment', () => {
    const env = {
      NOTIFY_SOCKET: '/nowhere',
      REDIS_AGENT_NOTIFY_FD: '9',
      WATCHDOG_USEC: '1',
      WATCHDOG_PID: '1',
      HOME: '/',
    };
    openNotifier(env);
    expect(env).toEqual({ HOME: '/' });
  });
});
