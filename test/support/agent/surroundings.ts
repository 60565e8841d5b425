import { expect } from 'vitest';
import { runAgent, writeConfig, type AgentResult, type TestConfig } from './cli.ts';
import { fillServer } from '../data/data-set.ts';
import { manageServer, type ManagedOptions, type ManagedServer } from '../servers/managed-server.ts';
import { expectOk } from '../restore/prove-path.ts';

/** How a server may be set up, and what the agent is told of it. */
export interface Surroundings {
  what: string;
  options: ManagedOptions;
  /** Of the agent's settings for this instance; an undefined one is left out. */
  instance?: (config: TestConfig) => Record<string, unknown>;
  /** It has an AOF that can be backed up. */
  aof?: boolean;
  /** The agent may not do what the live method needs. */
  leastRights?: boolean;
}

/** A server in them, filled, and the agent's configuration for it. */
export async function prepareIn({
  options,
  instance,
}: Omit<Surroundings, 'what'>): Promise<{ server: ManagedServer; config: TestConfig }> {
  const server = await manageServer(options);
  const config = writeConfig({});
  const settings = Object.entries({ ...server.instance, ...instance?.(config) });
  config.rewrite({ instances: [Object.fromEntries(settings.filter(([, value]) => value !== undefined))] });
  await fillServer(server);
  await settleAof(server);
  return { server, config };
}

/** Commands of an AOF tell less of a stream's consumers than a base does. */
async function settleAof(server: ManagedServer): Promise<void> {
  if (String(await server.call('INFO', 'persistence')).includes('aof_enabled:0')) return;
  await server.call('BGREWRITEAOF');
  await expect
    .poll(async () => String(await server.call('INFO', 'persistence')), { interval: 10 })
    .toMatch(/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
}

/** By the command; it must succeed. */
export async function restoreIn(config: TestConfig, method: string, ...args: string[]): Promise<AgentResult> {
  const result = await runAgent(['--json', 'restore', '--yes', '--method', method, ...args], { config });
  expectOk(result);
  return result;
}
