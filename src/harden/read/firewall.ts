import { existsSync } from 'node:fs';
import { runCommand } from '../../lib/process/run-command.ts';
import type { FirewallTool } from '../facts.ts';

/** The firewall of this host, as far as we may see it. */
export interface FirewallFacts {
  /** The one that is in use; undefined: none was seen. */
  tool: FirewallTool | undefined;
  /** What `nft -j list ruleset`, `iptables-save` and `ip6tables-save` print; undefined where we may not read it. */
  nft: string | undefined;
  iptables: string | undefined;
  ip6tables: string | undefined;
}

/** Asks the tools that are here. Changes nothing, and throws nothing. */
export async function readFirewall(signal: AbortSignal): Promise<FirewallFacts> {
  const ask = async (...argv: string[]): Promise<string | undefined> => {
    const result = await runCommand(argv, signal).catch(() => undefined);
    return result?.exitCode === 0 ? result.stdout : undefined;
  };
  return {
    tool: await findTool(ask),
    nft: await ask('nft', '-j', 'list', 'ruleset'),
    iptables: await ask('iptables-save'),
    ip6tables: await ask('ip6tables-save'),
  };
}

async function findTool(
  ask: (...argv: string[]) => Promise<string | undefined>,
): Promise<FirewallTool | undefined> {
  const says = async (argv: string[], pattern: RegExp): Promise<boolean> =>
    pattern.test((await ask(...argv)) ?? '');
  if (await says(['ufw', 'status'], /^Status: active/m)) return 'ufw';
  if (await says(['firewall-cmd', '--state'], /running/)) return 'firewalld';
  if (await says(['nft', 'list', 'ruleset'], /chain/)) return 'nftables';
  if (await says(['iptables', '-S'], /^-A /m)) return 'iptables';
  return existsSync('/usr/sbin/nft') ? 'nftables' : undefined;
}
