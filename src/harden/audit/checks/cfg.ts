import { atLeastVersion } from '../../../formats/conf/engine.ts';
import { setting, usersOf } from '../../facts.ts';
import { check, given, notHere, proofOf, type Check, type CheckText } from '../check.ts';
import { applications, rightsProof, runs } from '../rights.ts';
import { sources } from '../sources.ts';

/** A protected switch of 7.0 that is open. */
function switchedOn(id: string, name: string, text: Omit<CheckText, 'source'>, what: string): Check {
  return check(id, { ...text, source: sources.config }, (facts) =>
    given(setting(facts, name), (value) => {
      if (value.value.toLowerCase() === 'no') return [];
      const local = value.value.toLowerCase() === 'local';
      return [
        {
          resource: name,
          severity: local ? 'warning' : text.severity,
          summary: `${name} is ${value.value}: ${what}${local ? ' from this host' : ''}`,
          remedy: `write ${name} no into the file and restart`,
          effect: 'restart',
          proof: proofOf(name, value),
          place: value.place,
        },
      ];
    }),
  );
}

const protectedConfigs = switchedOn(
  'CFG01',
  'enable-protected-configs',
  {
    severity: 'high',
    title: 'dir and dbfilename can be changed at run time',
    why: 'With them a client writes a file of its choice: a cron job, an SSH key, a module.',
  },
  'a client with CONFIG SET chooses where files are written',
);
const moduleCommand = switchedOn(
  'CFG02',
  'enable-module-command',
  {
    severity: 'high',
    title: 'modules can be loaded at run time',
    why: 'MODULE LOAD runs any library that the server can read.',
  },
  'MODULE LOAD runs code',
);
const debugCommand = switchedOn(
  'CFG03',
  'enable-debug-command',
  {
    severity: 'warning',
    title: 'DEBUG is open',
    why: 'DEBUG can crash the server, hold it up and read its memory.',
  },
  'DEBUG can stop the server',
);

const oldDir: Check = check(
  'CFG04',
  {
    severity: 'critical',
    title: 'a user may CONFIG SET dir (up to 6.2)',
    why: 'Up to 6.2 nothing protects dir and dbfilename: whoever may CONFIG SET writes a file of its choice.',
    source: sources.security,
  },
  (facts) => {
    const { engine, version } = facts.engine;
    if (engine === 'valkey' || atLeastVersion(version, '7.0'))
      return notHere('from 7.0 on enable-protected-configs says');
    return given(usersOf(facts), (users) =>
      applications(facts, users)
        .filter(({ user }) => runs(facts, user, 'config|set'))
        .map(({ user, place }) => ({
          resource: user.name,
          summary: `${user.name} may CONFIG SET dir and dbfilename`,
          remedy: `ACL SETUSER ${user.name} -config`,
          effect: 'run time' as const,
          proof: rightsProof(facts),
          place,
        })),
    );
  },
);

const moved: Check = check(
  'CFG05',
  {
    severity: 'critical',
    title: 'dir or dbfilename points where attackers put files',
    why: 'That is how a server without a password is turned into a foothold: its dump becomes a cron job, an SSH key or a library.',
    source: sources.security,
  },
  (facts) =>
    given(setting(facts, 'dir'), (dir) =>
      given(setting(facts, 'dbfilename'), (name) => {
        const path = `${dir.value}/${name.value}`;
        const bad =
          /(?:^|\/)(?:cron(?:tabs|\.d|\.hourly|\.daily)?|\.ssh|init\.d|profile\.d)(?:\/|$)|authorized_keys|\.so$|\.php$|\.jsp$/.test(
            path,
          );
        return bad
          ? [
              {
                resource: 'dir',
                summary: `the dump is written to ${path}`,
                remedy:
                  'treat the host as broken into: take it off the network, keep the disk, and look at that file; then set dir back',
                effect: 'host',
                proof: proofOf('dir', dir),
                place: dir.place,
              },
            ]
          : [];
      }),
    ),
);

/** Part of the server in these versions, and no file that somebody has added. */
const builtIn = new Set(['vectorset', 'lua']);

const modules: Check = check(
  'CFG06',
  {
    severity: 'high',
    title: 'a module that nobody has allowed',
    why: 'A module is code inside the server. One that was loaded at run time is how servers are taken over.',
    source: sources.security,
  },
  (facts) =>
    given(facts.server, ({ modules: loaded }) =>
      given(loaded, (names) => {
        const wanted =
          facts.files.value?.entries
            .filter(({ name }) => name === 'loadmodule')
            .map(({ values }) => values[0] ?? '') ?? [];
        return names
          .filter((name) => !builtIn.has(name.toLowerCase()))
          .map((name) => ({
            resource: name,
            severity: wanted.length > 0 ? ('warning' as const) : ('high' as const),
            summary: `the module ${name} is loaded${wanted.length > 0 ? ', and the file loads modules' : facts.files.value === undefined ? '' : ', and no line of the file loads one'}`,
            remedy: `when it is wanted, waive this rule for ${name}; else MODULE UNLOAD ${name}, and find out who loaded it`,
            effect: 'restart' as const,
            proof: 'MODULE LIST',
          }));
      }),
    ),
);

const replica: Check = check(
  'CFG07',
  {
    severity: 'critical',
    title: 'it is a replica, and its file does not say so',
    why: 'REPLICAOF from outside replaces all data by the attacker’s, and sends it modules.',
    source: sources.replication,
  },
  (facts) =>
    given(facts.server, ({ info }) => {
      const master = info.get('master_host');
      if (master === undefined || info.get('role') !== 'slave') return [];
      return given(facts.files, ({ entries }) => {
        const said = entries.some(({ name }) => name === 'replicaof' || name === 'slaveof');
        const cluster = info.get('cluster_enabled') === '1';
        if (said || cluster) return [];
        return [
          {
            resource: 'replicaof',
            severity: 'high',
            summary: `it replicates ${master}:${info.get('master_port') ?? '?'}, and no line of its file says so`,
            remedy: `if that is wanted, write replicaof ${master} ${info.get('master_port') ?? ''} into the file; else REPLICAOF NO ONE and see the log for who did it`,
            effect: 'run time',
            proof: 'INFO replication, and read in the file',
          },
        ];
      });
    }),
);

export const cfgChecks: readonly Check[] = [
  protectedConfigs,
  moduleCommand,
  debugCommand,
  oldDir,
  moved,
  modules,
  replica,
];
