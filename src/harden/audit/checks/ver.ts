import { counted } from '../../../lib/text/counted.ts';
import advisories from '../../../../conf/advisories.json' with { type: 'json' };
import { check, given, notHere, type Check, type Violation } from '../check.ts';
import type { AuditFacts, PackageFacts } from '../../facts.ts';
import { compareVersions } from '../../../formats/conf/engine.ts';
import { judgeAdvisory, type Advisory } from '../judge-advisory.ts';

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- kept by its schema, in a test
const rows = advisories.rows as unknown as Advisory[];
const supported: Record<string, string[]> = advisories.supported;
const day = 86_400_000;

/** How many days ago somebody last looked for new advisories. */
export function advisoryAge(now: number): number {
  return Math.floor((now - Date.parse(`${advisories.checked}T00:00:00Z`)) / day);
}

const list = 'conf/advisories.json';

const open: Check = check(
  'VER01',
  {
    severity: 'critical',
    title: 'a known flaw that is not fixed here',
    why: 'It is public how to use it.',
    source: list,
  },
  (facts) => {
    if (!facts.engineKnown) return notHere('which version it will be was not said (--engine)');
    if (!/^\d+\.\d+\.\d+$/.test(facts.engine.version))
      return notHere('only the line is known, not the version');
    const known = facts.host.value?.package.value;
    const fixed = known?.fixed.value;
    // A distribution mends old versions: where its package or that one's changelog cannot be seen, nothing is proven.
    const unseen =
      known === undefined ? packageUnseen(facts) : fixed === undefined ? changelogUnseen(known) : undefined;
    const found: { row: Advisory; fixedIn: string | undefined }[] = [];
    const doubts: string[] = [];
    for (const row of rows) {
      if (row.kind === 'bug' || row.kind === 'module') continue;
      const verdict = judgeAdvisory(row, facts.engine, fixed);
      if (verdict.state === 'unknown') doubts.push(`${row.id} (${row.title}): ${verdict.why}`);
      if (verdict.state !== 'open') continue;
      if (unseen !== undefined) {
        doubts.push(`${row.id} (${row.title}): ${unseen}`);
        continue;
      }
      found.push({ row, fixedIn: verdict.fixedIn });
    }
    // One upgrade for all of them: to the newest of the versions that the flaws were mended in.
    const versions = found.map(({ fixedIn }) => fixedIn);
    const target = versions.includes(undefined)
      ? undefined
      : versions
          .filter((each) => each !== undefined)
          .toSorted(compareVersions)
          .at(-1);
    const violations: Violation[] = found.map(({ row }) => ({
      resource: row.id,
      severity: row.severity,
      summary: `${row.id}: ${row.title}; ${facts.engine.engine} ${facts.engine.version}${known === undefined ? '' : ` (${known.name} ${known.version})`} has it`,
      remedy:
        known === undefined
          ? `upgrade to ${target ?? 'a line that is still maintained'} or newer`
          : `apt-get update and upgrade ${known.name}, or dnf upgrade; then restart it`,
      effect: 'restart',
      proof:
        known === undefined
          ? `INFO server, and ${list}`
          : `the package’s changelog does not name it, and ${list}`,
      evidence: { source: row.source, date: row.date },
    }));
    return { violations, doubts };
  },
);

function changelogUnseen({ fixed }: PackageFacts): string {
  return fixed.missing ?? 'the package’s changelog cannot be read';
}

/** Images of the makers' own have no package; one of a host has, whoever may see which. */
function packageUnseen({ host }: AuditFacts): string | undefined {
  return host.value === undefined || host.value.container ? undefined : host.value.package.missing;
}

const bugs: Check = check(
  'VER05',
  {
    severity: 'high',
    title: 'a version with a known bug that loses data or opens rights',
    why: 'No CVE, and it hurts all the same.',
    source: list,
  },
  (facts) => {
    if (!facts.engineKnown || !/^\d+\.\d+\.\d+$/.test(facts.engine.version))
      return notHere('the version is not known');
    return {
      violations: rows
        .filter(({ kind, id }) => kind === 'bug' && id !== 'redis-14545')
        .filter((row) => judgeAdvisory(row, facts.engine, undefined).state === 'open')
        .map((row) => ({
          resource: row.id,
          severity: row.severity === 'critical' ? 'high' : row.severity,
          summary: `${facts.engine.engine} ${facts.engine.version}: ${row.title}`,
          remedy: `upgrade to ${row.fixed[facts.engine.engine]?.join(', ') ?? 'a newer version'}`,
          effect: 'restart' as const,
          proof: `INFO server, and ${list}`,
          evidence: { source: row.source },
        })),
    };
  },
);

const unsupported: Check = check(
  'VER02',
  {
    severity: 'high',
    title: 'a line that nobody maintains any more',
    why: 'The next flaw will not be fixed there.',
    source: 'https://endoflife.date/redis',
  },
  (facts) => {
    if (!facts.engineKnown) return notHere('which version it will be was not said (--engine)');
    const { engine, version } = facts.engine;
    const line = version.split('.').slice(0, 2).join('.');
    const lines = supported[engine] ?? [];
    if (lines.includes(line)) return { violations: [] };
    const newest = lines.at(-1);
    if (newest !== undefined && compareVersions(line, newest) > 0)
      return {
        violations: [],
        doubts: [`${list} knows lines up to ${newest}, as of ${advisories.checked}, and not ${line}`],
      };
    const known = facts.host.value?.package.value;
    return {
      violations: [
        {
          resource: `${engine}-${line}`,
          // A distribution goes on for its own term.
          severity: known === undefined ? 'high' : 'info',
          summary: `${engine} ${line} gets no fixes from its makers${known === undefined ? '' : `; ${known.distribution} still mends ${known.version}`}`,
          remedy: `plan the move to ${newest ?? 'a newer line'}: ${known === undefined ? 'soon' : 'before the distribution’s support ends'}`,
          effect: 'restart',
          proof: facts.mode === 'files' ? 'as named by --engine' : 'INFO server',
        },
      ],
    };
  },
);

const replaced: Check = check(
  'VER03',
  {
    severity: 'high',
    title: 'an older program runs than is installed',
    why: 'The package was upgraded and the server not restarted: what was fixed is still open.',
    source: 'https://man7.org/linux/man-pages/man5/proc_pid_exe.5.html',
  },
  (facts) =>
    given(facts.host, ({ replaced: gone }) =>
      given(gone, (is) =>
        is
          ? [
              {
                resource: 'process',
                summary: 'the program’s file was replaced after the server was started',
                remedy: 'restart it when that suits: a replica first, and after a look at HST07',
                effect: 'restart',
                proof: '/proc/PID/exe',
              },
            ]
          : [],
      ),
    ),
);

const oldData: Check = check(
  'VER04',
  {
    severity: 'warning',
    title: 'the list of known flaws is old',
    why: 'What has become known since then is not looked for.',
    source: list,
  },
  (facts) => {
    const days = advisoryAge(facts.now);
    return {
      violations:
        days <= 90
          ? []
          : [
              {
                resource: list,
                summary: `the list of known flaws was last checked ${counted(days, 'day')} ago (${advisories.checked})`,
                remedy:
                  'upgrade redis-agent, or merge new ones: scripts/node scripts/merge-advisories.ts FILE.json',
                effect: 'host',
                proof: list,
              },
            ],
    };
  },
);

export const verChecks: readonly Check[] = [open, unsupported, replaced, oldData, bugs];
