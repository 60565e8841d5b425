import { describe, expect, test } from 'vitest';
import { readRulesets } from '../../../src/formats/firewall/read-rulesets.ts';
import { judgeReach } from '../../../src/harden/plan/reach.ts';
import { renderDropIn } from '../../../src/harden/render/render-conf.ts';
import { measuredLoad } from '../../../src/jobs/harden/host.ts';
import { sampleDrill } from '../../support/data/sample-drill.ts';
import { adviseHost, type HostSight } from '../../../src/harden/plan/host.ts';

/** A host on which nothing is to be done, but for the changes. */
const sight = (changes: Partial<HostSight> = {}): HostSight => ({
  ports: [6379],
  open: [],
  networks: ['10.0.1.0/24', 'fd00::/8'],
  firewall: 'nftables',
  reach: [],
  overcommit: '1',
  somaxconn: 4096,
  backlog: 511,
  otherFile: undefined,
  unit: undefined,
  properties: new Map(),
  dropIn: '[Service]\n',
  loadSeconds: undefined,
  ...changes,
});
const commands = (changes: Partial<HostSight>): string[] =>
  adviseHost(sight({ open: ['0.0.0.0'], ...changes })).flatMap((advice) => advice.commands);

test('nothing where only this host gets in', () => {
  expect(adviseHost(sight())).toEqual([]);
  expect(adviseHost(sight({ open: ['0.0.0.0'], ports: [] }))).toEqual([]);
});

test('without networks nobody can say who is to be let in', () => {
  const [advice] = adviseHost(sight({ open: ['*'], networks: [] }));
  expect(advice?.commands.join()).toContain('allowed_networks');
});

describe('the firewall in use: who may, then nobody else, before what is there, and this host always', () => {
  test('ufw', () => {
    expect(commands({ firewall: 'ufw' })).toEqual([
      'ufw prepend deny proto tcp to any port 6379',
      'ufw prepend allow proto tcp from 10.0.1.0/24 to any port 6379',
      'ufw prepend allow proto tcp from fd00::/8 to any port 6379',
    ]);
  });

  test('firewalld, each family by its name', () => {
    expect(commands({ firewall: 'firewalld' })).toEqual([
      'firewall-cmd --permanent --add-rich-rule=\'rule family="ipv4" source address="10.0.1.0/24" port port="6379" protocol="tcp" accept\'',
      'firewall-cmd --permanent --add-rich-rule=\'rule family="ipv6" source address="fd00::/8" port port="6379" protocol="tcp" accept\'',
      'firewall-cmd --permanent --remove-port=6379/tcp',
      'firewall-cmd --permanent --remove-service=redis',
      'firewall-cmd --reload',
    ]);
  });

  test('nftables, also where none was seen', () => {
    const rules = [
      'nft add table inet redis_agent',
      "nft add chain inet redis_agent port_6379 '{ type filter hook input priority -10; policy accept; }'",
      'nft flush chain inet redis_agent port_6379',
      'nft add rule inet redis_agent port_6379 ip saddr 10.0.1.0/24 tcp dport 6379 accept',
      'nft add rule inet redis_agent port_6379 ip6 saddr fd00::/8 tcp dport 6379 accept',
      'nft add rule inet redis_agent port_6379 iifname != lo tcp dport 6379 drop',
      '# gone with a reboot: add what nft list table inet redis_agent prints to /etc/nftables.conf',
    ];
    expect(commands({ firewall: 'nftables' })).toEqual(rules);
    const [advice] = adviseHost(sight({ open: ['0.0.0.0'], firewall: undefined }));
    expect(advice?.commands).toEqual(rules);
    expect(advice?.why).toContain('no firewall was seen');
  });

  test('iptables, with ip6tables for what is its: closed also where an earlier rule lets everybody in', () => {
    const offered = commands({ firewall: 'iptables' });
    expect(offered).toEqual([
      'iptables -I INPUT 1 -p tcp --dport 6379 -s 10.0.1.0/24 -j ACCEPT',
      'iptables -I INPUT 2 -p tcp --dport 6379 ! -i lo -j DROP',
      'ip6tables -I INPUT 1 -p tcp --dport 6379 -s fd00::/8 -j ACCEPT',
      'ip6tables -I INPUT 2 -p tcp --dport 6379 ! -i lo -j DROP',
      expect.stringContaining('# gone with a reboot'),
    ]);
    const before = ['-A INPUT -p tcp -m tcp --dport 6379 -j ACCEPT'];
    const saved = (program: string): string => {
      const rules = [...before];
      for (const command of offered) {
        const [, own, at = '', rule = ''] = /^(\w+) -I INPUT (\d+) (.*)$/.exec(command) ?? [];
        if (own === program) rules.splice(Number(at) - 1, 0, `-A INPUT ${rule}`);
      }
      return ['*filter', ':INPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
    };
    const interfaces = [{ name: 'eth9', networks: ['192.0.2.10/24', '2001:db8::1/64'] }];
    const networks = ['10.0.1.0/24', 'fd00::/8'];
    const judge = (iptables: string, ip6tables: string): unknown =>
      judgeReach(6379, { tables: readRulesets({ iptables, ip6tables, nft: '' }), networks, interfaces })
        .state;
    const open = ['*filter', ':INPUT ACCEPT [0:0]', ...before, 'COMMIT', ''].join('\n');
    expect(judge(open, open)).toBe('open');
    expect(judge(saved('iptables'), saved('ip6tables'))).toBe('closed');
  });

  test('every port that it has; and what a container publishes goes round it', () => {
    expect(
      commands({ firewall: 'ufw', ports: [6379, 6380] }).filter((each) => each.endsWith(' 6380')),
    ).toHaveLength(3);
    expect(adviseHost(sight({ open: ['*'] }))[0]?.why).toContain('a container publishes');
  });
});

describe('where the rules in force could be read', () => {
  test('nothing for a port that only those reach who may', () => {
    expect(commands({ reach: [{ port: 6379, state: 'closed', container: false }] })).toEqual([]);
  });

  test('who gets in besides is named', () => {
    const reach = [{ port: 6379, state: 'open' as const, who: ['10.0.0.0/8'], container: false }];
    const [advice] = adviseHost(sight({ open: ['0.0.0.0'], reach }));
    expect(advice?.why).toContain('port 6379 lets in 10.0.0.0/8: only 10.0.1.0/24, fd00::/8 are to reach it');
  });

  test('what Docker publishes is kept where Docker asks', () => {
    const reach = [{ port: 6379, state: 'open' as const, who: ['anywhere'], container: true }];
    const [advice] = adviseHost(sight({ open: ['*'], firewall: 'ufw', networks: ['10.0.1.0/24'], reach }));
    expect(advice?.why).toContain('past ufw, firewalld and INPUT');
    expect(advice?.commands.slice(0, 2)).toEqual([
      'iptables -I DOCKER-USER -p tcp -m conntrack --ctstate NEW --ctorigdstport 6379 -j DROP',
      'iptables -I DOCKER-USER -p tcp -m conntrack --ctstate NEW --ctorigdstport 6379 -s 10.0.1.0/24 -j RETURN',
    ]);
  });
});

test('kernel settings that are missing, and none that are there', () => {
  const [advice] = adviseHost(sight({ overcommit: '0', somaxconn: 128, backlog: 2048 }));
  expect(advice?.commands[0]).toContain("'vm.overcommit_memory = 1' 'net.core.somaxconn = 2048'");
  expect(adviseHost(sight({ overcommit: undefined, somaxconn: undefined }))).toEqual([]);
});

test('a drop-in for a unit that lacks a sandbox, a UMask or files', () => {
  const sound = new Map([
    ['ProtectSystem', 'strict'],
    ['UMask', '0077'],
    ['LimitNOFILE', '65535'],
  ]);
  expect(adviseHost(sight({ unit: 'redis.service', properties: sound }))).toEqual([]);
  const [advice] = adviseHost(sight({ unit: 'redis.service' }));
  expect(advice?.why).toContain('no sandbox, a wide UMask, few open files');
  expect(advice?.commands.join('\n')).toContain('/etc/systemd/system/redis.service.d/redis-agent.conf');
});

test('a drop-in for a unit that is ended before its data is loaded, as a drill has measured it', () => {
  const properties = new Map([
    ['ProtectSystem', 'strict'],
    ['UMask', '0077'],
    ['LimitNOFILE', '65535'],
    ['TimeoutStartUSec', '1min 30s'],
  ]);
  const advised = (loadSeconds: number | undefined): string[] =>
    adviseHost(sight({ unit: 'redis.service', properties, loadSeconds })).map(({ why }) => why);
  expect(advised(undefined)).toEqual([]);
  expect(advised(40)).toEqual([]);
  expect(advised(61.2)).toEqual([expect.stringContaining('90 s to start, where its data took 62 s to load')]);
});

test('how long a load takes is that of the newest drill that held', () => {
  const seconds = { ...sampleDrill().seconds, load: 130 };
  const drills = [
    { outcome: 'skipped', reason: 'memory' },
    { outcome: 'failed', record: sampleDrill({ ok: false }) },
    { outcome: 'held', record: sampleDrill({ seconds }) },
    { outcome: 'held', record: sampleDrill() },
  ];
  expect(measuredLoad(drills)).toBe(130);
  expect(measuredLoad([])).toBeUndefined();
  const places = { data: '/var/lib/redis', conf: '/etc/redis', log: '/var/log/redis/redis.log' };
  expect(renderDropIn({ unit: 'redis.service', places, loadSeconds: 130 })).toContain(
    'TimeoutStartSec=390\n',
  );
});

test('a server that runs with another file than its next start goes by', () => {
  const otherFile = { running: '/etc/redis/old conf', next: '/etc/redis/redis.conf' };
  expect(adviseHost(sight({ otherFile }))).toMatchObject([
    {
      about: 'configuration',
      why: expect.stringMatching(
        /runs with \/etc\/redis\/old conf, and its next start goes by \/etc\/redis\/redis\.conf/,
      ),
      commands: ["diff '/etc/redis/old conf' /etc/redis/redis.conf"],
    },
  ]);
});
