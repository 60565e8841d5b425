import { readFileSync, realpathSync } from 'node:fs';
import { systemCode } from '../../domain/errors.ts';
import type { DrillOutcome } from '../../domain/drill.ts';
import type { HostAdvice } from '../../harden/changes.ts';
import { networkInterfaces } from 'node:os';
import { readRulesets } from '../../formats/firewall/read-rulesets.ts';
import { adviseHost } from '../../harden/plan/host.ts';
import { judgeReach, type Interfaces, type Reach } from '../../harden/plan/reach.ts';
import type { FirewallFacts } from '../../harden/read/firewall.ts';
import { renderDropIn } from '../../harden/render/render-conf.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import type { JobContext } from '../job.ts';
import type { InspectedServer } from './inspect-server.ts';

/** What is to be done around the server. Nothing where it runs elsewhere; looks, and changes nothing. */
export async function lookAround(
  { settings, signal, firewall, recall }: Pick<JobContext, 'settings' | 'signal' | 'firewall' | 'recall'>,
  { config, service, engine, info, file, seen }: InspectedServer,
): Promise<HostAdvice[]> {
  const ports = ['port', 'tls-port'].map((name) => Number(config.get(name) ?? 0)).filter((port) => port > 0);
  const bind = (config.get('bind') ?? '').split(' ').filter(Boolean);
  const open = (bind.length === 0 ? ['*'] : bind).filter(
    (address) => !/^-?(?:127\.|::1$|localhost$)/.test(address),
  );
  const networks = settings.harden.allowed_networks;
  // What listens on loopback alone needs none.
  const walls = open.length === 0 ? undefined : await firewall();
  const unit = /^the unit (\S+)$/.exec(service?.description ?? '')?.[1];
  const name = engine.engine;
  const loadSeconds = measuredLoad(recall('drill'));
  return adviseHost({
    ports,
    open,
    networks,
    firewall: walls?.tool,
    reach: walls === undefined ? [] : reachBy(walls, ports, networks),
    overcommit: read('/proc/sys/vm/overcommit_memory'),
    somaxconn: numberOf(read('/proc/sys/net/core/somaxconn')),
    backlog: Number(config.get('tcp-backlog') ?? 511),
    otherFile: otherFile(info.get('config_file') ?? '', { file, real: seen.real }),
    unit,
    properties: unit === undefined ? new Map() : await showProperties(unit, signal),
    dropIn: renderDropIn({
      unit: unit ?? '',
      places: {
        data: config.get('dir') ?? `/var/lib/${name}`,
        conf: `/etc/${name}`,
        log: config.get('logfile') || `/var/log/${name}/${name}-server.log`,
      },
      loadSeconds,
    }),
    loadSeconds,
  });
}

/** By whatever links. */
function otherFile(
  running: string,
  { file, real }: { file: string; real: string },
): { running: string; next: string } | undefined {
  if (running === '' || running === file || running === real) return undefined;
  try {
    if (realpathSync(running) === real) return undefined;
  } catch (error) {
    // One that is gone is another one; of one that is out of our sight nobody knows.
    if (systemCode(error) !== 'ENOENT') return undefined;
  }
  return { running, next: file };
}

/** Seconds that its data took to load when that was last rehearsed, by what the history keeps of drills, newest first. */
export function measuredLoad(drills: readonly unknown[]): number | undefined {
  for (const drill of drills) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only drills write it
    const outcome = (drill ?? {}) as Partial<DrillOutcome>;
    const load = outcome.outcome === 'held' ? outcome.record?.seconds.load : undefined;
    if (typeof load === 'number') return load;
  }
  return undefined;
}

/** Who gets to these ports by the rules in force; empty where we may not read them. */
function reachBy(
  { nft, iptables, ip6tables }: FirewallFacts,
  ports: readonly number[],
  networks: readonly string[],
): Reach[] {
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
