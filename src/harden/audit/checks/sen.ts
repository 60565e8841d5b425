import type { AuditFacts, FileEntry, FileFacts, Place } from '../../facts.ts';
import { check, given, notHere, type Check, type Verdict, type Violation } from '../check.ts';
import { reachOf } from '../exposure.ts';
import { sources } from '../sources.ts';
import { counted } from '../../../lib/text/counted.ts';

/** Of a Sentinel's file: its lines by their second word. */
function ofSentinel(
  judge: (lines: (word: string) => FileEntry[], files: FileFacts, facts: AuditFacts) => Violation[],
): Check['judge'] {
  return (facts): Verdict =>
    given(facts.files, (files) => {
      if (!files.sentinel) return notHere('it is no Sentinel');
      const lines = (word: string): FileEntry[] =>
        files.entries.filter(({ name, values }) => name === 'sentinel' && values[0]?.toLowerCase() === word);
      return judge(lines, files, facts);
    });
}

const proof = 'read in the file';

const open: Check = check(
  'SEN01',
  {
    severity: 'critical',
    title: 'the Sentinel needs no password',
    why: 'Whoever reaches it starts a failover, or names another master: SENTINEL SET and MONITOR are open to all.',
    source: sources.sentinel,
  },
  ofSentinel((_lines, { entries }) => {
    const last = (name: string): FileEntry | undefined => entries.findLast((each) => each.name === name);
    const password = last('requirepass');
    const user = entries.find(({ name, values }) => name === 'user' && values[0] === 'default');
    if (
      (password !== undefined && password.values[0] !== '') ||
      (user !== undefined && !user.values.includes('nopass'))
    )
      return [];
    const bind = last('bind')?.values ?? ['*'];
    const near = bind.every((address) => reachOf(address) === 'loopback');
    return [
      {
        resource: 'default',
        severity: near ? 'warning' : 'critical',
        summary: `anybody who reaches port ${last('port')?.values[0] ?? '26379'} commands this Sentinel (default has no password)`,
        remedy:
          'requirepass in every sentinel.conf, with sentinel sentinel-pass of the same (6.2 and newer); and bind to the network of the nodes',
        effect: 'restart',
        proof,
        place: (user ?? last('port'))?.place,
      },
    ];
  }),
);

const plainPassword: Check = check(
  'SEN02',
  {
    severity: 'warning',
    title: 'the data servers’ password in sentinel.conf',
    why: 'Sentinel needs it in the clear and writes it back so: the file is a secret, and its user should be able to little else.',
    source: sources.sentinel,
  },
  ofSentinel((lines) =>
    lines('auth-pass').map(({ values, place }) => ({
      resource: values[1] ?? 'auth-pass',
      summary: `auth-pass of ${values[1] ?? 'a master'} stands in the clear${lines('auth-user').length === 0 ? ', and is that of the user default' : ''}`,
      remedy: `chmod 0640 for the file; sentinel auth-user ${values[1] ?? 'NAME'} sentinel with a user of its own: +multi +slaveof +replicaof +ping +exec +subscribe +publish +config|rewrite +role +info +script|kill +client|kill +client|setname, and &* (Valkey 9.0.0: +failover)`,
      effect: 'file' as const,
      proof,
      place,
    })),
  ),
);

const stale: Check = check(
  'SEN03',
  {
    severity: 'info',
    title: 'the Sentinel knows of nodes that may be gone',
    why: 'Sentinels never forget by themselves: dead ones count for the majority that a failover needs.',
    source: sources.sentinel,
  },
  ofSentinel((lines) => {
    const found: Violation[] = [];
    const byAddress = new Map<string, number>();
    for (const { values } of lines('known-sentinel'))
      byAddress.set(values.slice(1, 4).join(' '), (byAddress.get(values.slice(1, 4).join(' ')) ?? 0) + 1);
    for (const master of new Set(lines('monitor').map(({ values }) => values[1] ?? ''))) {
      const known = lines('known-sentinel').filter(({ values }) => values[1] === master);
      const replicas = [...lines('known-replica'), ...lines('known-slave')].filter(
        ({ values }) => values[1] === master,
      );
      const twice = [...byAddress].filter(([key, count]) => count > 1 && key.startsWith(`${master} `));
      if (twice.length === 0 && known.length + 1 <= 5 && replicas.length <= 5) continue;
      found.push({
        resource: master,
        summary: `${master}: ${counted(known.length, 'other Sentinel')} and ${counted(replicas.length, 'replica')} are noted${twice.length > 0 ? `, ${twice.length} of them twice` : ''}; some may be gone`,
        remedy: `compare with SENTINEL SENTINELS ${master} and SENTINEL REPLICAS ${master}; then SENTINEL RESET ${master} on each Sentinel, one after the other, 30 s apart. Change nothing of it in the file`,
        effect: 'run time',
        proof,
        place: known[0]?.place,
      });
    }
    return found;
  }),
);

const quorum: Check = check(
  'SEN04',
  {
    severity: 'high',
    title: 'too few Sentinels, or a quorum that does not fit',
    why: 'Two cannot have a majority when one is down, and with a quorum of one a single mistaken Sentinel fails over.',
    source: sources.sentinel,
  },
  ofSentinel((lines) =>
    lines('monitor').flatMap(({ values, place }) => {
      const [, name = '', , , text = ''] = values;
      const others = lines('known-sentinel').filter((each) => each.values[1] === name).length;
      const wanted = Number(text);
      const at = (summary: string, remedy: string): Violation[] => [
        { resource: name, severity: 'high', summary, remedy, effect: 'run time', proof, place },
      ];
      if (wanted === 1)
        return at(
          `${name}: the quorum is 1: one Sentinel that cannot see the master begins a failover`,
          `SENTINEL SET ${name} quorum 2 on each Sentinel, and three Sentinels`,
        );
      // A file that Sentinel has not written to yet knows of no others.
      if (others === 0) return [];
      if (others + 1 < 3)
        return at(
          `${name}: ${others + 1} Sentinels; three are the fewest that survive the loss of one`,
          'start another Sentinel on a third host',
        );
      if (wanted > others + 1)
        return at(
          `${name}: the quorum ${wanted} is more than the ${others + 1} Sentinels that are known`,
          `SENTINEL SET ${name} quorum ${Math.floor((others + 1) / 2) + 1}`,
        );
      return [];
    }),
  ),
);

const times: Check = check(
  'SEN05',
  {
    severity: 'info',
    title: 'times that were not chosen',
    why: 'By default a master must be away for 30 s, and a failed failover is tried again after 6 minutes.',
    source: sources.sentinel,
  },
  ofSentinel((lines) =>
    lines('monitor').flatMap(({ values, place }) => {
      const name = values[1] ?? '';
      const of = (word: string): number | undefined => {
        const line = lines(word).find((each) => each.values[1] === name);
        return line === undefined ? undefined : Number(line.values[2]);
      };
      const [down, failover] = [of('down-after-milliseconds'), of('failover-timeout')];
      if (down !== undefined && down <= 15_000 && failover !== undefined && failover <= 60_000) return [];
      return [
        {
          resource: name,
          summary: `${name}: down-after-milliseconds ${down ?? '30000 (default)'}, failover-timeout ${failover ?? '180000 (default)'}`,
          remedy: `SENTINEL SET ${name} down-after-milliseconds 5000, SENTINEL SET ${name} failover-timeout 10000, where the network allows`,
          effect: 'run time' as const,
          proof,
          place,
        },
      ];
    }),
  ),
);

const loopback: Check = check(
  'SEN06',
  {
    severity: 'high',
    title: 'the master is named by its loopback address',
    why: 'Other Sentinels and clients are told that address, and find themselves there.',
    source: sources.sentinel,
  },
  ofSentinel((lines) =>
    lines('monitor')
      .filter(({ values }) => reachOf(values[2] ?? '') === 'loopback')
      .map(({ values, place }: { values: string[]; place: Place | undefined }) => ({
        resource: values[1] ?? '',
        summary: `${values[1] ?? ''} is monitored at ${values[2] ?? ''}, which others take for themselves`,
        remedy: 'name the address by which clients reach it',
        effect: 'restart' as const,
        proof,
        place,
      })),
  ),
);

export const senChecks: readonly Check[] = [open, plainPassword, stale, quorum, times, loopback];
