import { atLeastVersion } from '../../../formats/conf/engine.ts';
import { isYes, setting, type AuditFacts } from '../../facts.ts';
import { check, fine, given, notHere, proofOf, setAndKeep, type Check, type Verdict } from '../check.ts';
import { bindAddresses, defaultIsOpen, hasPort, isProtected, reachOf, reachOfServer } from '../exposure.ts';
import { sources } from '../sources.ts';

const wide: Check = check(
  'NET01',
  {
    severity: 'critical',
    title: 'listens where others can reach it',
    why: 'Whoever reaches the port can try passwords, and needs none where there is none. Most stolen Redis servers were found by scanning.',
    source: sources.security,
  },
  (facts) =>
    given(setting(facts, 'bind'), (bind) => {
      const reach = reachOfServer(facts);
      if (reach === undefined || reach === 'loopback' || reach === 'private') return [];
      const open = defaultIsOpen(facts);
      const guarded = open === false || isProtected(facts);
      const addresses = bindAddresses(bind.value).filter((each) =>
        ['every', 'public'].includes(reachOf(each)),
      );
      const guard =
        open === false
          ? 'only a password stands before it'
          : guarded
            ? 'only protected-mode stands before it, until somebody sets a password or turns it off'
            : 'and nothing stands before it';
      return [
        {
          resource: 'bind',
          severity: guarded ? 'high' : 'critical',
          summary: `listens on ${reach === 'every' ? 'every address of the host' : addresses.join(' ')}; ${guard}`,
          remedy: `${setAndKeep(facts, 'bind', '127.0.0.1 -::1')}, with the addresses that clients really use besides`,
          effect: 'run time',
          proof: proofOf('bind', bind),
          evidence: { bind: bind.value, reach, protected: isProtected(facts) },
          place: bind.place,
        },
      ];
    }),
);

const stray: Check = check(
  'NET02',
  {
    severity: 'high',
    title: 'a bind address that is not on this host, or no address',
    why: 'The server does not start when it cannot listen where it is told to.',
    source: sources.config,
  },
  (facts) =>
    given(setting(facts, 'bind'), (bind) => {
      const own = facts.host.value?.addresses;
      const odd = bindAddresses(bind.value).filter((word) => {
        const bare = word.replace(/^-/, '');
        if (/^(?:\*|::\*|0\.0\.0\.0|::)$/.test(bare)) return false;
        if (!/^[0-9a-f:.]+$/i.test(bare)) return /[^\w.:%-]/.test(bare);
        return own !== undefined && !word.startsWith('-') && !bare.startsWith('127.') && !own.includes(bare);
      });
      return odd.map((word) => ({
        resource: word,
        summary: `bind names ${word}, which is ${/^[0-9a-f:.]+$/i.test(word) ? 'no address of this host' : 'no address'}`,
        remedy: `take ${word} out of bind, or write -${word} where it may be away`,
        effect: 'file' as const,
        proof: proofOf('bind', bind),
        place: bind.place,
      }));
    }),
);

const unprotected: Check = check(
  'NET03',
  {
    severity: 'high',
    title: 'protected-mode is off',
    why: 'It is what turns strangers away while there is no password, for instance after a mistake in an ACL file.',
    source: sources.security,
  },
  (facts) =>
    given(setting(facts, 'protected-mode'), (mode) =>
      isYes(mode.value)
        ? []
        : [
            {
              resource: 'protected-mode',
              severity:
                reachOfServer(facts) === 'loopback' || defaultIsOpen(facts) === false ? 'warning' : 'high',
              summary: `protected-mode is off${facts.engine.docker && mode.from === 'default' ? ', as in every official container image' : ''}`,
              remedy: setAndKeep(facts, 'protected-mode', 'yes'),
              effect: 'run time',
              proof: proofOf('protected-mode', mode),
              place: mode.place,
            },
          ],
    ),
);

const oldBind: Check = check(
  'NET04',
  {
    severity: 'critical',
    title: 'a bind line that switches the protection off (up to 6.2)',
    why: 'Up to Redis 6.2 protected-mode only works without a bind line: with one, a client from elsewhere is let in without a password.',
    source: sources.security,
  },
  (facts) => {
    const { engine, version } = facts.engine;
    if (engine === 'valkey' || atLeastVersion(version, '7.0'))
      return notHere('from 7.0 on bind does not do that');
    return given(setting(facts, 'bind'), (bind) => {
      const reach = reachOfServer(facts);
      const open = defaultIsOpen(facts);
      if (bind.from === 'default' || bind.value === '' || reach === 'loopback') return [];
      if (open === undefined) return { missing: 'who may log in cannot be seen' };
      return open
        ? [
            {
              resource: 'bind',
              summary:
                'there is a bind line and no password: protected-mode does nothing, anybody on the network is let in',
              remedy: 'set a password: ACL SETUSER default >…, and write it into the file',
              effect: 'run time',
              proof: proofOf('bind', bind),
              place: bind.place,
            },
          ]
        : [];
    });
  },
);

const socketModes = { group: 0o020, other: 0o002 };

function socketVerdict(
  facts: AuditFacts,
  path: string,
  mode: number,
  folderMode: number | undefined,
): Verdict {
  if ((mode & socketModes.other) === 0 || (folderMode !== undefined && (folderMode & 0o001) === 0))
    return fine;
  const open = defaultIsOpen(facts);
  const place = setting(facts, 'unixsocketperm').value?.place;
  return {
    violations: [
      {
        resource: path,
        severity: open === false ? 'warning' : 'high',
        summary: `every user of this host may connect to ${path} (mode ${(mode & 0o777).toString(8)})${open === false ? ', and needs a password' : ', without a password'}`,
        remedy: 'write unixsocketperm 770, and put clients into the server’s group',
        effect: 'restart',
        proof: facts.mode === 'files' ? 'read in the file' : 'stat of the socket and its folder',
        evidence: { mode: (mode & 0o777).toString(8) },
        place,
      },
    ],
  };
}

const socket: Check = check(
  'NET05',
  {
    severity: 'high',
    title: 'the unix socket is open to every user',
    why: 'Any account on the host, and whatever breaks into one, talks to the server; the network’s walls do not stand there.',
    source: sources.config,
  },
  (facts) => {
    const path = setting(facts, 'unixsocket').value?.value;
    if (path === undefined || path === '') return notHere('there is no unix socket');
    const seen = facts.host.value?.socket.value;
    if (seen !== undefined) return socketVerdict(facts, path, seen.mode, seen.folderMode);
    return given(setting(facts, 'unixsocketperm'), ({ value }) => {
      if (value === '' || value === '0')
        return {
          missing: 'the mode of the socket comes from the server’s umask, and the socket cannot be seen',
        };
      return socketVerdict(facts, path, Number.parseInt(value, 8), undefined);
    });
  },
);

const bus: Check = check(
  'NET06',
  {
    severity: 'critical',
    title: 'the cluster bus has no encryption, and so no authentication',
    why: 'Whoever reaches the bus port (port + 10000) can join, redirect and, through flaws in its parser, run code: it asks for no password.',
    source: sources.cluster,
  },
  (facts) =>
    given(setting(facts, 'cluster-enabled'), (enabled) => {
      if (!isYes(enabled.value)) return notHere('cluster mode is off');
      const tls = setting(facts, 'tls-cluster').value;
      if (tls !== undefined && isYes(tls.value)) return [];
      const reach = reachOfServer(facts);
      return [
        {
          resource: 'cluster-bus',
          severity: reach === 'loopback' ? 'warning' : reach === 'private' ? 'high' : 'critical',
          summary: 'the cluster bus talks in the clear and believes whoever reaches it',
          remedy:
            'tls-cluster yes with tls-ca-cert-file, tls-cert-file and tls-key-file on every node; until then let only the nodes reach the bus port',
          effect: 'restart',
          proof: tls === undefined ? 'no tls-cluster' : proofOf('tls-cluster', tls),
          place: tls?.place ?? enabled.place,
        },
      ];
    }),
);

const backlog: Check = check(
  'NET07',
  {
    severity: 'info',
    title: 'tcp-backlog is more than the kernel grants',
    why: 'The kernel cuts it to net.core.somaxconn without an error: bursts of connections are refused earlier than the file says.',
    source: sources.config,
  },
  (facts) =>
    given(facts.host, ({ somaxconn }) =>
      given(somaxconn, (granted) =>
        given(setting(facts, 'tcp-backlog'), (backlogSetting) => {
          const asked = Number(backlogSetting.value);
          if (!hasPort(facts, 'port') || asked <= granted) return [];
          return [
            {
              resource: 'tcp-backlog',
              summary: `tcp-backlog ${asked}, and net.core.somaxconn is ${granted}`,
              remedy: `sysctl -w net.core.somaxconn=${asked}, and the same into /etc/sysctl.d/`,
              effect: 'host',
              proof: '/proc/sys/net/core/somaxconn',
              evidence: { asked, granted },
            },
          ];
        }),
      ),
    ),
);

const published: Check = check(
  'NET08',
  {
    severity: 'high',
    title: 'a container’s port may go round the host’s firewall',
    why: 'Container engines write rules of their own before those of ufw and firewalld: a published port is open although the firewall says it is not.',
    source: 'https://docs.docker.com/engine/network/packet-filtering-firewalls/',
  },
  (facts) => {
    if (facts.mode === 'files' && !facts.engine.docker) return notHere('no container is spoken of');
    if (facts.host.value?.container !== true && !facts.engine.docker)
      return notHere('it runs in no container');
    const reach = reachOfServer(facts);
    if (reach === undefined) return { missing: 'where it listens cannot be seen' };
    if (reach === 'loopback') return fine;
    return {
      violations: [
        {
          resource: 'container',
          severity: defaultIsOpen(facts) === false || isProtected(facts) ? 'warning' : 'high',
          summary:
            'it listens on every address of its container: a published port is open to whoever reaches the host, past ufw and firewalld',
          remedy:
            'publish it on loopback (-p 127.0.0.1:6379:6379), or not at all and use the containers’ own network',
          effect: 'host',
          proof: 'read',
        },
      ],
    };
  },
);

export const netChecks: readonly Check[] = [
  wide,
  stray,
  unprotected,
  oldBind,
  socket,
  bus,
  backlog,
  published,
];
