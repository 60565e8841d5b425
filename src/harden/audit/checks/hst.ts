import { systemdSeconds } from '../../../lib/time/systemd-seconds.ts';
import { infoInteger } from '../../../formats/info/parse-info.ts';
import { setting, type AuditFacts, type UnitFacts } from '../../facts.ts';
import { check, given, notHere, type Check, type Verdict, type Violation } from '../check.ts';
import { sources } from '../sources.ts';

const asRoot: Check = check(
  'HST01',
  {
    severity: 'critical',
    title: 'the server runs as root',
    why: 'Then a flaw in it, or CONFIG SET dir, is the whole host.',
    source: sources.admin,
  },
  (facts) =>
    given(facts.host, ({ uid, container }) =>
      given(uid, (id) =>
        id === 0
          ? [
              {
                resource: 'process',
                severity: container ? 'high' : 'critical',
                summary: `the server runs as root${container ? ' in its container' : ''}`,
                remedy: container
                  ? 'let the image start as its own user (user: redis)'
                  : 'User=redis for its unit, and its folders to that user',
                effect: 'restart',
                proof: '/proc/PID/status',
              },
            ]
          : [],
      ),
    ),
);

/** A check of what systemd says of the unit. */
function ofUnit(judge: (unit: UnitFacts, facts: AuditFacts) => Violation[] | Verdict): Check['judge'] {
  return (facts) => given(facts.host, ({ unit }) => given(unit, (seen) => judge(seen, facts)));
}

const dropIn = (unit: UnitFacts, line: string): string =>
  `systemctl edit ${unit.id}: [Service] ${line}; then restart it`;

const sandbox: Check = check(
  'HST02',
  {
    severity: 'warning',
    title: 'the unit has no sandbox',
    why: 'With it, whoever breaks into the server may write its data folder and nothing else.',
    source: sources.systemd,
  },
  ofUnit((unit) => {
    const missing = [
      ['ProtectSystem', /^(?:strict|full)$/, 'ProtectSystem=strict'],
      ['NoNewPrivileges', /^yes$/, 'NoNewPrivileges=yes'],
      ['PrivateTmp', /^(?:yes|disconnected)$/, 'PrivateTmp=yes'],
      ['ProtectHome', /^(?:yes|read-only|tmpfs)$/, 'ProtectHome=yes'],
    ] as const;
    const open = missing.filter(([name, right]) => !right.test(unit.properties.get(name) ?? ''));
    if (open.length < 2) return [];
    return [
      {
        resource: unit.id,
        summary: `${unit.id} has no ${open.map(([name]) => name).join(', ')}`,
        remedy: dropIn(
          unit,
          `${open.map(([, , line]) => line).join(' ')} ReadWritePaths=-/var/lib/redis -/var/log/redis`,
        ),
        effect: 'restart',
        proof: 'systemctl show',
      },
    ];
  }),
);

const umask: Check = check(
  'HST03',
  {
    severity: 'warning',
    title: 'files are made readable to every user',
    why: 'Without UMask= dumps, AOFs and rewritten configurations are 0644.',
    source: sources.systemd,
  },
  ofUnit((unit) => {
    const mask = Number.parseInt(unit.properties.get('UMask') ?? '', 8);
    if (Number.isNaN(mask)) return { missing: 'systemd does not tell the unit’s UMask' };
    return (mask & 0o007) === 0o007
      ? []
      : [
          {
            resource: unit.id,
            summary: `${unit.id} has UMask=${unit.properties.get('UMask') ?? ''}: what the server writes others can read`,
            remedy: dropIn(unit, 'UMask=0077'),
            effect: 'restart',
            proof: 'systemctl show',
          },
        ];
  }),
);

const openFiles: Check = check(
  'HST04',
  {
    severity: 'warning',
    title: 'too few open files for its clients',
    why: 'Each client is a descriptor; the server needs 32 besides. With fewer it lowers maxclients by itself.',
    source: sources.clients,
  },
  (facts) =>
    given(facts.host, ({ openFiles: limit }) =>
      given(limit, (most) =>
        given(setting(facts, 'maxclients'), (clients) => {
          const wanted = Math.max(10_000, Number(clients.value)) + 32;
          return most >= wanted
            ? []
            : [
                {
                  resource: 'LimitNOFILE',
                  summary: `the process may open ${most} files; ${wanted} would be right`,
                  remedy: `LimitNOFILE=${wanted} for its unit, daemon-reload, restart`,
                  effect: 'restart',
                  proof: '/proc/PID/limits',
                },
              ];
        }),
      ),
    ),
);

const kernel: Check = check(
  'HST05',
  {
    severity: 'high',
    title: 'the kernel’s memory settings are against it',
    why: 'Without overcommit a save fails when memory is half full, and everything looked fine before. Transparent huge pages make each save cost latency and memory.',
    source: sources.admin,
  },
  (facts) =>
    given(facts.host, ({ overcommit, hugePages }) => {
      if (overcommit.value === undefined && hugePages.value === undefined)
        return { missing: overcommit.missing ?? hugePages.missing ?? 'the kernel’s settings' };
      const found: Violation[] = [];
      if (overcommit.value !== undefined && overcommit.value !== '1')
        found.push({
          resource: 'vm.overcommit_memory',
          severity: 'high',
          summary: `vm.overcommit_memory is ${overcommit.value}: BGSAVE can fail for want of memory that it would not use`,
          remedy: 'sysctl -w vm.overcommit_memory=1, and the same into /etc/sysctl.d/',
          effect: 'host',
          proof: '/proc/sys/vm/overcommit_memory',
        });
      if (hugePages.value === 'always')
        found.push({
          resource: 'transparent_hugepage',
          severity: 'warning',
          summary: 'transparent huge pages are always on: each save copies 2 MB for a byte that changes',
          remedy:
            'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, at each boot; or disable-thp yes (6.2 and newer)',
          effect: 'host',
          proof: '/sys/kernel/mm/transparent_hugepage/enabled',
        });
      return found;
    }),
);

const inArguments: Check = check(
  'HST06',
  {
    severity: 'warning',
    title: 'a password in a command line',
    why: 'Every user of the host reads it in the list of processes.',
    source: 'https://redis.io/docs/latest/develop/tools/cli/',
  },
  (facts) =>
    given(facts.host, ({ passwordsInArguments }) =>
      given(passwordsInArguments, (found) =>
        found.map(({ pid, program }) => ({
          resource: program,
          summary: `process ${pid} (${program}) has a Redis password in its command line`,
          remedy: 'give it by REDISCLI_AUTH or a file, and change that password',
          effect: 'host' as const,
          proof: '/proc/PID/cmdline',
          evidence: { pid },
        })),
      ),
    ),
);

const startTime: Check = check(
  'HST07',
  {
    severity: 'high',
    title: 'systemd ends it before it has loaded its data',
    why: 'With Type=notify the server is ready when it has loaded. A start that takes longer than TimeoutStartSec is killed and begun anew, for ever.',
    source: 'https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html',
  },
  ofUnit((unit, facts) => {
    if (!(unit.properties.get('Type') ?? '').startsWith('notify'))
      return notHere('systemd does not wait for it');
    const limit = systemdSeconds(unit.properties.get('TimeoutStartUSec') ?? '');
    if (limit === undefined) return { missing: 'systemd does not tell the unit’s TimeoutStartUSec' };
    const info = facts.server.value?.info;
    const bytes = info === undefined ? undefined : infoInteger(info, 'used_memory');
    if (bytes === undefined) return { missing: 'how much there is to load' };
    // Loading reads some 50 MB a second of memory on a slow disk and processor.
    const needed = Math.ceil(bytes / (50 * 2 ** 20));
    if (limit > needed * 2 || limit === Infinity) return [];
    return [
      {
        resource: unit.id,
        summary: `${unit.id} is given ${limit} s to start, and loading ${Math.round(bytes / 2 ** 20)} MB may take ${needed} s`,
        remedy: dropIn(unit, 'TimeoutStartSec=infinity').replace(
          'restart it',
          'daemon-reload; it holds for the next start',
        ),
        effect: 'host',
        proof: 'systemctl show, INFO memory; the time is estimated',
      },
    ];
  }),
);

export const hstChecks: readonly Check[] = [
  asRoot,
  sandbox,
  umask,
  openFiles,
  kernel,
  inArguments,
  startTime,
];
