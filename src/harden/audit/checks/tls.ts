import {
  expiryRule,
  judgeExpiry,
  judgeServed,
  servedRule,
} from '../../../redis/seen-by-both/judge-certificate.ts';
import { isYes, setting } from '../../facts.ts';
import { check, given, notHere, proofOf, setAndKeep, type Check } from '../check.ts';
import { hasPort, reachOfServer } from '../exposure.ts';
import { sources } from '../sources.ts';

const plainPort: Check = check(
  'TLS01',
  {
    severity: 'high',
    title: 'a port without TLS that others can reach',
    why: 'Passwords and data go over the network in the clear.',
    source: sources.tls,
  },
  (facts) =>
    given(setting(facts, 'port'), (port) => {
      if (!hasPort(facts, 'port')) return [];
      const reach = reachOfServer(facts);
      if (reach === undefined) return { missing: 'where it listens cannot be seen' };
      if (reach === 'loopback') return [];
      return [
        {
          resource: 'port',
          severity: reach === 'private' ? 'warning' : 'high',
          summary: `port ${port.value} is open without TLS`,
          remedy:
            'tls-port with tls-cert-file, tls-key-file and tls-ca-cert-file; move clients there; then port 0. Or a private network with encryption of its own, and a waiver',
          effect: 'run time',
          proof: proofOf('port', port),
          place: port.place,
        },
      ];
    }),
);

const clientCertificates: Check = check(
  'TLS02',
  {
    severity: 'warning',
    title: 'TLS without certificates of clients',
    why: 'With tls-auth-clients no a password alone lets in, also from hosts that should not even speak to it.',
    source: sources.tls,
  },
  (facts) =>
    given(setting(facts, 'tls-auth-clients'), (value) => {
      if (!hasPort(facts, 'tls-port')) return notHere('there is no TLS port');
      return value.value.toLowerCase() === 'no'
        ? [
            {
              resource: 'tls-auth-clients',
              summary: 'tls-auth-clients is no: any client may begin a session',
              remedy: setAndKeep(facts, 'tls-auth-clients', 'yes'),
              effect: 'run time',
              proof: proofOf('tls-auth-clients', value),
              place: value.place,
            },
          ]
        : [];
    }),
);

const protocols: Check = check(
  'TLS03',
  {
    severity: 'warning',
    title: 'old TLS versions are not excluded',
    why: 'Without tls-protocols it takes what its library takes, which in some distributions is TLS 1.0.',
    source: sources.tls,
  },
  (facts) =>
    given(setting(facts, 'tls-protocols'), (value) => {
      if (!hasPort(facts, 'tls-port')) return notHere('there is no TLS port');
      const old = /TLSv1(?:\.1)?(?!\.)/.test(value.value);
      if (value.value !== '' && !old) return [];
      return [
        {
          resource: 'tls-protocols',
          summary: old ? `tls-protocols allows ${value.value}` : 'tls-protocols is empty',
          remedy: setAndKeep(facts, 'tls-protocols', 'TLSv1.2 TLSv1.3'),
          effect: 'run time',
          proof: proofOf('tls-protocols', value),
          place: value.place,
        },
      ];
    }),
);

const expiry: Check = {
  rule: expiryRule,
  source: sources.tls,
  judge: (facts) =>
    given(facts.server, ({ certificate }) =>
      given(certificate, (shown) =>
        judgeExpiry(shown, { now: facts.now, bounds: facts.certificateDays }).map((found) => ({
          ...found,
          effect: 'run time' as const,
          proof: 'tried: a TLS handshake',
        })),
      ),
    ),
};

const replication: Check = check(
  'TLS05',
  {
    severity: 'high',
    title: 'replication without TLS',
    why: 'All data and the replication password go over the network in the clear.',
    source: sources.tls,
  },
  (facts) =>
    given(setting(facts, 'tls-replication'), (value) => {
      if (!hasPort(facts, 'tls-port')) return notHere('there is no TLS port');
      const info = facts.server.value?.info;
      const replicates =
        info === undefined
          ? facts.files.value?.entries.some(({ name }) => /^(?:replica|slave)of$/.test(name)) === true
          : info.get('role') === 'slave';
      if (!replicates || isYes(value.value)) return [];
      return [
        {
          resource: 'tls-replication',
          summary: 'tls-replication is no: the link to the master is in the clear',
          remedy: setAndKeep(facts, 'tls-replication', 'yes'),
          effect: 'run time',
          proof: proofOf('tls-replication', value),
          place: value.place,
        },
      ];
    }),
);

const served: Check = {
  rule: servedRule,
  source: 'https://github.com/redis/redis/issues/8756',
  judge: (facts) =>
    given(facts.server, ({ certificate }) =>
      given(certificate, ({ served: shown, file, path }) => {
        if (shown === undefined || file === undefined || path === undefined)
          return { missing: `${path ?? 'the certificate file'} cannot be read` };
        return judgeServed({ served: shown, file, path }).map((found) => ({
          ...found,
          effect: 'run time' as const,
          proof: 'tried: a TLS handshake, and the file read',
        }));
      }),
    ),
};

export const tlsChecks: readonly Check[] = [
  plainPort,
  clientCertificates,
  protocols,
  expiry,
  replication,
  served,
];
