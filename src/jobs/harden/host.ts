import { existsSync, readFileSync } from 'node:fs';
import type { HostAdvice } from '../../harden/changes.ts';
import { networkInterfaces } from 'node:os';
import { readRulesets } from '../../formats/firewall/read-rulesets.ts';
import { adviseHost, type HostSight } from '../../harden/plan/host.ts';
import { judgeReach, type Interfaces, type Reach } from '../../harden/plan/reach.ts';
import { renderDropIn } from '../../harden/render/render-conf.ts';
import { runCommand } from '../../lib/run-command.ts';
import type { JobContext } from '../job.ts';
import type { HardenScene } from './scene.ts';

/** What is to be done around the server. Nothing where it runs elsewhere; looks, and changes nothing. */
export async function lookAround(
  { settings, signal }: Pick<JobContext, 'settings' | 'signal'>,
  { config, service, engine }: HardenScene,
): Promise<HostAdvice[]> {
  const ports = ['port', 'tls-port'].map((name) => Number(config.get(name) ?? 0)).filter((port) => port > 0);
  const bind = (config.get('bind') ?? '').split(' ').filter(Boolean);
  const open = (bind.length === 0 ? ['*'] : bind).filter(
    (address) => !/^-?(?:127\.|::1$|localhost$)/.test(address),
  );
  const unit = /^the unit (\S+)$/.exec(service?.description ?? '')?.[1];
  const name = engine.engine;
  return adviseHost({
    ports,
    open,
    networks: settings.harden.allowed_networks,
    firewall: open.length === 0 ? undefined : await findFirewall(signal),
    reach: open.length === 0 ? [] : await readReach(ports, settings.harden.allowed_networks, signal),
    overcommit: read('/proc/sys/vm/overcommit_memory'),
    somaxconn: numberOf(read('/proc/sys/net/core/somaxconn')),
    backlog: Number(config.get('tcp-backlog') ?? 511),
    unit,
    properties: unit === undefined ? new Map() : await showProperties(unit, signal),
    dropIn: renderDropIn({
      unit: unit ?? '',
      places: {
        data: config.get('dir') ?? `/var/lib/${name}`,
        conf: `/etc/${name}`,
        log: config.get('logfile') || `/var/log/${name}/${name}-server.log`,
      },
      loadSeconds: undefined,
    }),
  });
}

/** The one that is in use, as far as we may see. */
async function findFirewall(signal: AbortSignal): Promise<HostSight['firewall']> {
  const says = async (argv: string[], pattern: RegExp): Promise<boolean> => {
    const result = await runCommand(argv, signal).catch(() => undefined);
    return result?.exitCode === 0 && pattern.test(result.stdout);
  };
  if (await says(['ufw', 'status'], /^Status: active/m)) return 'ufw';
  if (await says(['firewall-cmd', '--state'], /running/)) return 'firewalld';
  if (await says(['nft', 'list', 'ruleset'], /chain/)) return 'nftables';
  if (await says(['iptables', '-S'], /^-A /m)) return 'iptables';
  return existsSync('/usr/sbin/nft') ? 'nftables' : undefined;
}

/** Who gets to these ports by the rules in force; empty where we may not read them. */
async function readReach(
  ports: readonly number[],
  networks: readonly string[],
  signal: AbortSignal,
): Promise<Reach[]> {
  const ask = async (...argv: string[]): Promise<string | undefined> => {
    const result = await runCommand(argv, signal).catch(() => undefined);
    return result?.exitCode === 0 ? result.stdout : undefined;
  };
  const nft = await ask('nft', '-j', 'list', 'ruleset');
  const [iptables, ip6tables] = [await ask('iptables-save'), await ask('ip6tables-save')];
  if (nft === undefined && iptables === undefined) return [];
  try {
    const tables = readRulesets({ iptables: iptables ?? '', ip6tables: ip6tables ?? '', nft: nft ?? '' });
    return ports.map((port) => judgeReach(port, { tables, networks, interfaces: interfacesHere() }));
  } catch {
    // Not the document that it was when this was written.
    return [];
  }
}

function interfacesHere(): Interfaces[] {
  return Object.entries(networkInterfaces()).map(([name, addresses = []]) => ({
    name,
    networks: addresses.flatMap(({ cidr }) => cidr ?? []),
  }));
}

async function showProperties(unit: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const shown = await runCommand(
    ['systemctl', 'show', '--property=UMask,LimitNOFILE,ProtectSystem,TimeoutStartUSec', '--', unit],
    signal,
  ).catch(() => undefined);
  const lines = shown?.stdout.split('\n') ?? [];
  return new Map(
    lines.flatMap((line) => {
      const equals = line.indexOf('=');
      return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)] as const] : [];
    }),
  );
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
