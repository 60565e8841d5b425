import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runAgent, takeBackup, writeConfig, type ConfigOptions, type TestConfig } from '../agent/cli.ts';
import { startServer, type TestServer } from '../servers/redis-server.ts';

/** A server with 502 keys, and a backup of it that nothing has proven. */
export async function backedUp(
  options: ConfigOptions = {},
): Promise<{ config: TestConfig; server: TestServer; id: string }> {
  const server = await startServer();
  await server.call('DEBUG', 'POPULATE', 500);
  await server.call('HSET', 'hash', 'field', 'value');
  await server.call('SETEX', 'expiring', 86_400, 'value');
  const config = writeConfig({ server, ...options });
  return { config, server, id: await takeBackup(config, '--no-verify') };
}

export function drill(config: TestConfig, ...args: string[]): ReturnType<typeof runAgent> {
  return runAgent(['drill', '--json', ...args], { config });
}

/** What lies beside a backup of that beginning. */
export function beside({ repository }: TestConfig, id: string, beginning: string): string[] {
  return readdirSync(join(repository, 'main', id)).filter((name) => name.startsWith(beginning));
}

/** What is left of scratch servers and staged files. */
export function leftIn({ state }: TestConfig): string[] {
  const scratch = join(state, 'scratch');
  return existsSync(scratch) ? readdirSync(scratch) : [];
}

/** Rule and severity of each open finding. */
export async function findingsOf(config: TestConfig): Promise<unknown[]> {
  const { json } = await runAgent(['status', '--json'], { config });
  return json[0].findings.map(({ rule, severity }: Record<string, string>) => `${rule} ${severity}`);
}

/** What `check` says of drills. */
export async function checkLine(config: TestConfig): Promise<{ verdict: string; detail: string }> {
  const { json } = await runAgent(['check', '--json'], { config });
  return json.find(({ what }: { what: string }) => what === 'drill');
}
