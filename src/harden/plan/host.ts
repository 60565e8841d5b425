import { shellWord } from '../../lib/process/shell-word.ts';
import { systemdSeconds } from '../../lib/time/systemd-seconds.ts';
import type { HostAdvice } from '../changes.ts';
import type { FirewallTool } from '../facts.ts';
import type { Reach } from './reach.ts';

/** What can be seen around a server. */
export interface HostSight {
  /** Its TCP ports, and the addresses that it listens on; empty: none but loopback. */
  ports: readonly number[];
  open: readonly string[];
  /** From where clients may come, by the configuration. */
  networks: readonly string[];
  /** The firewall in use; undefined: none was seen. */
  firewall: FirewallTool | undefined;
  /** What the rules in force make of each port; empty: they could not be read. */
  reach: readonly Reach[];
  overcommit: string | undefined;
  somaxconn: number | undefined;
  backlog: number;
  /** The file that it runs with, where its next start goes by another one. */
  otherFile: { running: string; next: string } | undefined;
  /** Undefined: it runs in no unit. */
  unit: string | undefined;
  properties: ReadonlyMap<string, string>;
  dropIn: string;
  /** Seconds that its data took to load when that was last rehearsed. */
  loadSeconds: number | undefined;
}

/** What is to be done around the server, by hand: exact commands for what this host has. */
export function adviseHost(sight: HostSight): HostAdvice[] {
  return [...files(sight), ...firewall(sight), ...kernel(sight), ...unit(sight)];
}

/** What is changed is what its next start goes by. */
function files({ otherFile }: HostSight): HostAdvice[] {
  if (otherFile === undefined) return [];
  const { running, next } = otherFile;
  return [
    {
      about: 'configuration',
      why: `it runs with ${running}, and its next start goes by ${next}, which is the file that this is about: see that it is meant`,
      commands: [`diff ${shellWord(running)} ${shellWord(next)}`],
    },
  ];
}

function firewall({ ports, open, networks, firewall: tool, reach }: HostSight): HostAdvice[] {
  if (open.length === 0) return [];
  return ports.flatMap((port) => {
    const judged = reach.find((each) => each.port === port);
    if (judged?.state === 'closed') return [];
    return [adviseFirewall(port, judged, { where: open.join(', '), networks, tool })];
  });
}

function adviseFirewall(
  port: number,
  judged: Reach | undefined,
  { where, networks, tool }: { where: string; networks: readonly string[]; tool: HostSight['firewall'] },
): HostAdvice {
  const published = judged?.container === true;
  const who =
    judged?.state === 'open'
      ? `port ${port} lets in ${judged.who.join(', ')}${published ? ', by what Docker publishes: past ufw, firewalld and INPUT' : ''}`
      : `it listens on ${where}, port ${port}${judged === undefined ? '; the firewall could not be read (run as root)' : '; the firewall has rules that are not understood here'}`;
  if (networks.length === 0)
    return {
      about: 'firewall',
      why: `${who}, and nothing says from where clients may come`,
      commands: [
        '# harden: { allowed_networks: [10.0.1.0/24] } in the configuration, then plan again',
        ...(published ? [`# or for this host alone: publish it as 127.0.0.1:${port}`] : []),
      ],
    };
  const none = tool === undefined ? '; no firewall was seen, these are for nftables' : '';
  return {
    about: 'firewall',
    why: `${who}: only ${networks.join(', ')} are to reach it${none}${judged === undefined ? '. A port that a container publishes goes past ufw and firewalld: name an address there' : ''}`,
    commands: published ? dockerRules(port, networks) : rulesFor(tool, port, networks),
  };
}

/** Docker asks DOCKER-USER before its own chains; the port is another one by then, and only conntrack knows the first. */
function dockerRules(port: number, networks: readonly string[]): string[] {
  const rule = (networks6: boolean, target: string): string =>
    `${networks6 ? 'ip6tables' : 'iptables'} -I DOCKER-USER -p tcp -m conntrack --ctstate NEW --ctorigdstport ${port} ${target}`;
  const families = [...new Set([false, ...networks.map((network) => network.includes(':'))])];
  return [
    ...families.map((six) => rule(six, '-j DROP')),
    ...networks.map((network) => rule(network.includes(':'), `-s ${network} -j RETURN`)),
    '# Docker keeps the chain; the rules themselves are gone with a reboot: iptables-persistent, or a unit of your own',
  ];
}

const isSix = (network: string): boolean => network.includes(':');

/** They stand before what is there: a rule that lets everybody in would else win over them. */
function rulesFor(tool: HostSight['firewall'], port: number, networks: readonly string[]): string[] {
  switch (tool) {
    case 'ufw':
      return [
        `ufw prepend deny proto tcp to any port ${port}`,
        ...networks.map((network) => `ufw prepend allow proto tcp from ${network} to any port ${port}`),
      ];
    case 'firewalld':
      return [
        ...networks.map(
          (network) =>
            `firewall-cmd --permanent --add-rich-rule='rule family="${isSix(network) ? 'ipv6' : 'ipv4'}" source address="${network}" port port="${port}" protocol="tcp" accept'`,
        ),
        `firewall-cmd --permanent --remove-port=${port}/tcp`,
        ...(port === 6379 ? ['firewall-cmd --permanent --remove-service=redis'] : []),
        'firewall-cmd --reload',
      ];
    case 'iptables':
      return [
        ...[false, true].flatMap((six) =>
          iptablesRules(
            port,
            networks.filter((each) => isSix(each) === six),
            six,
          ),
        ),
        '# gone with a reboot: iptables-persistent (netfilter-persistent save), or a unit of your own',
      ];
    case 'nftables':
    case undefined: {
      const chain = `inet redis_agent port_${port}`;
      return [
        'nft add table inet redis_agent',
        `nft add chain ${chain} '{ type filter hook input priority -10; policy accept; }'`,
        // Of an earlier plan: a network that is added would stand behind its drop.
        `nft flush chain ${chain}`,
        ...networks.map(
          (network) =>
            `nft add rule ${chain} ${isSix(network) ? 'ip6' : 'ip'} saddr ${network} tcp dport ${port} accept`,
        ),
        `nft add rule ${chain} iifname != lo tcp dport ${port} drop`,
        '# gone with a reboot: add what nft list table inet redis_agent prints to /etc/nftables.conf',
      ];
    }
    default:
      return [];
  }
}

function iptablesRules(port: number, networks: readonly string[], six: boolean): string[] {
  const program = six ? 'ip6tables' : 'iptables';
  return [
    ...networks.map((network) => `-p tcp --dport ${port} -s ${network} -j ACCEPT`),
    `-p tcp --dport ${port} ! -i lo -j DROP`,
  ].map((rule, at) => `${program} -I INPUT ${at + 1} ${rule}`);
}

function kernel({ overcommit, somaxconn, backlog }: HostSight): HostAdvice[] {
  const wrong = [
    ...(overcommit === undefined || overcommit === '1' ? [] : ['vm.overcommit_memory = 1']),
    ...(somaxconn === undefined || somaxconn >= backlog
      ? []
      : [`net.core.somaxconn = ${Math.max(1024, backlog)}`]),
  ];
  if (wrong.length === 0) return [];
  return [
    {
      about: 'kernel',
      why: 'a snapshot fails where the kernel does not overcommit, and fewer connections wait than tcp-backlog says where somaxconn is lower',
      commands: [
        `printf '%s\\n' ${wrong.map((line) => `'${line}'`).join(' ')} > /etc/sysctl.d/60-redis-agent.conf`,
        'sysctl --system',
      ],
    },
  ];
}

function unit({ unit: name, properties, dropIn, loadSeconds = 0 }: HostSight): HostAdvice[] {
  if (name === undefined) return [];
  const limit = systemdSeconds(properties.get('TimeoutStartUSec') ?? '') ?? Infinity;
  const lacks = [
    ...(['strict', 'full'].includes(properties.get('ProtectSystem') ?? '') ? [] : ['no sandbox']),
    ...(properties.get('UMask')?.endsWith('7') === true ? [] : ['a wide UMask']),
    ...(Number(properties.get('LimitNOFILE') ?? 0) >= 10_032 || properties.get('LimitNOFILE') === 'infinity'
      ? []
      : ['few open files']),
    ...(limit < 2 * loadSeconds
      ? [
          `${limit} s to start, where its data took ${Math.ceil(loadSeconds)} s to load when that was rehearsed`,
        ]
      : []),
  ];
  if (lacks.length === 0) return [];
  return [
    {
      about: 'unit',
      why: `${name} has ${lacks.join(', ')}; it counts from the next start`,
      commands: [
        `mkdir -p /etc/systemd/system/${name}.d`,
        `cat > /etc/systemd/system/${name}.d/redis-agent.conf <<'END'\n${dropIn}END`,
        'systemctl daemon-reload',
      ],
    },
  ];
}
