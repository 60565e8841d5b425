import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { connectRedis } from '../../../src/redis/connection/connect.ts';
import { engineOf, readInfo } from '../../../src/redis/server.ts';
import { serverBuilds, startServer } from '../../support/servers/redis-server.ts';

const run = promisify(execFile);

describe.each(serverBuilds())('$name ($version)', (build) => {
  test('starts, answers, saves what its own tool accepts, and stops', async () => {
    const server = await startServer({ build });
    expect(engineOf(await readInfo(server.connection))).toEqual({
      engine: build.engine,
      version: build.version,
    });
    await server.call('SET', 'key', 'value');
    await server.call('SAVE');
    const { stdout } = await run(build.checkRdb, [server.dumpPath]);
    expect(stdout).toContain('RDB looks OK');
    // Whoever looks for the tools finds them beside the program of the running process.
    const program = readlinkSync(`/proc/${server.pid}/exe`);
    expect(existsSync(`${dirname(program)}/${build.engine}-check-rdb`)).toBe(true);

    const { pid } = server;
    await server.stop();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(existsSync(server.dir)).toBe(false);
  });

  test('the tools run by themselves', async () => {
    // Without the preamble, since Valkey 9's check tool takes its own RDB base for a damaged log.
    const config = { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' };
    const server = await startServer({ build, config });
    await server.call('SET', 'key', 'value');
    const { stdout: pong } = await run(build.cli, ['-p', String(server.port), 'PING']);
    expect(pong.trim()).toBe('PONG');
    const { stdout: rates } = await run(build.benchmark, `-p ${server.port} -n 10 -t get -q`.split(' '));
    expect(rates).toContain('requests per second');
    const manifest = `${server.dir}/appendonlydir/appendonly.aof.manifest`;
    const aof = existsSync(manifest) ? manifest : `${server.dir}/appendonly.aof`;
    const { stdout: verdict } = await run(build.checkAof, [aof]);
    expect(verdict).toMatch(/AOF .* is valid|AOF is valid/);
  });

  test('serves TLS and a unix socket', async () => {
    const server = await startServer({ build, tls: true });
    const tls = await connectRedis({ name: 'tls', url: server.tls?.url ?? '', tls: { ca: server.tls?.ca } });
    expect(await tls.call('PING')).toBe('PONG');
    tls.close();
    const socket = await connectRedis({ name: 'socket', url: server.socketUrl });
    expect(await socket.call('PING')).toBe('PONG');
    socket.close();
  });
});

describe('a test server', () => {
  test('survives a restart with its data, port and password', async () => {
    const server = await startServer({ config: { requirepass: 'open-sesame' } });
    await server.call('SET', 'key', 'value');
    await server.call('SAVE');
    const { pid } = server;
    await server.kill('SIGKILL');
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await server.call('GET', 'key')).toBe('value');
  });

  test('can be had while it is still loading', async () => {
    // While loading, commands are only answered every so many bytes.
    const config = { 'key-load-delay': '1000', 'loading-process-events-interval-bytes': '1024' };
    const server = await startServer({ config, until: 'listening' });
    await server.call('DEBUG', 'POPULATE', '20000');
    await server.call('SAVE');
    await server.restart();
    await expect(server.call('GET', 'key:1')).rejects.toThrow(/LOADING/);
  });

  test('a wrong directive fails with the server’s own words', async () => {
    await expect(startServer({ config: { 'no-such-directive': 'yes' } })).rejects.toThrow(
      /no-such-directive/,
    );
  });

  test('is killed with its fork child', async () => {
    const server = await startServer({ config: { 'rdb-key-save-delay': '100000' } });
    await server.call('DEBUG', 'POPULATE', '1000');
    await server.call('BGSAVE');
    const child = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim();
    expect(isRunning(child)).toBe(true);
    await server.stop();
    await expect.poll(() => isRunning(child)).toBe(false);
  });
});

/** A process that has ended and is not yet reaped by its parent has no command line. */
function isRunning(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}
