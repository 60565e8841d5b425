import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRulesets } from '../../../src/formats/firewall/read-rulesets.ts';
import { judgeReach, type Reach } from '../../../src/harden/plan/reach.ts';

const interfaces = [
  { name: 'lo', networks: ['127.0.0.1/8', '::1/128'] },
  { name: 'eth9', networks: ['192.0.2.10/24', 'fe80::1/64'] },
  { name: 'docker0', networks: ['172.17.0.1/16'] },
];

/**
 * As they were printed by iptables 1.8.9 and nft 1.0.6 of Debian 12: docker-* while Docker 20.10.24 had a container with that
 * port published, ufw with ufw 0.36 on (and without what nft says, which is the same), the others with rules as people write them.
 */
function recorded(name: string, networks = ['10.0.1.0/24'], port = 6379): Reach {
  const text = readFileSync(join(import.meta.dirname, '../../fixtures/firewall', `${name}.txt`), 'utf8');
  const [, iptables = '', ip6tables = '', nft = ''] = text.split(/^=== \w+\n/m);
  return judgeReach(port, { tables: readRulesets({ iptables, ip6tables, nft }), networks, interfaces });
}

describe('a port that Docker publishes', () => {
  test('is open to all, whatever INPUT says', () => {
    expect(recorded('published')).toEqual({ port: 6379, state: 'open', who: ['anywhere'], container: true });
    expect(recorded('ufw')).toEqual({ port: 6379, state: 'open', who: ['anywhere'], container: true });
  });

  test('for this host alone, is not', () => {
    expect(recorded('loopback')).toEqual({ port: 6379, state: 'closed', container: true });
  });

  test('under another number is that port', () => {
    expect(recorded('other-port', [], 16_379)).toMatchObject({ state: 'open', container: true });
    expect(recorded('other-port')).toMatchObject({ container: false });
  });

  test('is kept by DOCKER-USER', () => {
    expect(recorded('docker-user')).toEqual({ port: 6379, state: 'closed', container: true });
    // The commands that a plan offers.
    expect(recorded('docker-ours', ['10.0.1.0/24'], 16_379)).toMatchObject({
      state: 'closed',
      container: true,
    });
    expect(recorded('docker-user', ['10.0.1.0/25'])).toMatchObject({ state: 'open', who: ['10.0.1.0/24'] });
  });
});

describe('a port of the host itself', () => {
  test.each(['ufw-alone', 'ours', 'native'])('%s lets in whom it is to', (name) => {
    const networks = name === 'native' ? ['10.0.1.0/24', '192.0.2.0/24'] : ['10.0.1.0/24'];
    expect(recorded(name, networks)).toEqual({ port: 6379, state: 'closed', container: false });
  });

  test('who gets in besides is named as the rules name them', () => {
    expect(recorded('native')).toMatchObject({ state: 'open', who: ['192.0.2.0/24'] });
    expect(recorded('office')).toMatchObject({ state: 'open', who: ['10.0.0.0/8'] });
    expect(recorded('office', ['10.0.0.0/8'])).toMatchObject({ state: 'closed' });
    expect(recorded('ours', [], 22)).toMatchObject({ state: 'open', who: ['anywhere'] });
  });

  test('without a rule everybody gets in', () => {
    const tables = readRulesets({ iptables: '', ip6tables: '', nft: '{"nftables": []}' });
    expect(judgeReach(6379, { tables, networks: [], interfaces })).toMatchObject({
      state: 'open',
      who: ['anywhere'],
    });
  });

  test('a rule that is not understood leaves it unknown', () => {
    const iptables = '*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set office src -j ACCEPT\nCOMMIT\n';
    const tables = readRulesets({ iptables, ip6tables: '', nft: '' });
    expect(judgeReach(6379, { tables, networks: [], interfaces })).toMatchObject({ state: 'unknown' });
  });

  test.each([
    ['a limit of each address', [{ meter: { name: 'm' } }, { drop: null }]],
    ['a quota', [{ quota: { val: 10, val_unit: 'mbytes' } }, { drop: null }]],
    ['a map by its name', [{ vmap: { key: { ct: { key: 'state' } }, data: '@states' } }]],
  ])('of nftables: %s', (_, expr) => {
    const at = { family: 'inet', table: 'filter' };
    const base = { type: 'filter', hook: 'input', prio: 0, policy: 'accept' };
    const rest = {
      match: { op: '==', left: { payload: { protocol: 'ip', field: 'protocol' } }, right: 'icmp' },
    };
    const nftables = [
      { table: { family: 'inet', name: 'filter' } },
      { chain: { ...at, name: 'input', ...base } },
      { rule: { ...at, chain: 'input', expr: [rest, { drop: null }] } },
      { rule: { ...at, chain: 'input', expr } },
    ];
    const reach = (rules: unknown[]): unknown =>
      judgeReach(6379, {
        tables: readRulesets({ iptables: '', ip6tables: '', nft: JSON.stringify({ nftables: rules }) }),
        networks: [],
        interfaces,
      });
    // Of another protocol: that one is understood.
    expect(reach(nftables.slice(0, 3))).toMatchObject({ state: 'open' });
    expect(reach(nftables)).toMatchObject({ state: 'unknown' });
  });

  test('chains that lead into one another end', () => {
    const iptables = '*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n-A INPUT -j A\n-A A -j A\nCOMMIT\n';
    const tables = readRulesets({ iptables, ip6tables: '', nft: '' });
    expect(judgeReach(6379, { tables, networks: [], interfaces })).toMatchObject({ state: 'unknown' });
  });
});
