import { counted, verb } from '../../lib/text/counted.ts';
import { shellWord } from '../../lib/process/shell-word.ts';
import { severities } from '../../domain/finding.ts';
import type { AofManifest } from '../../formats/aof/aof-manifest.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import type { AofCut } from './describe-cut.ts';
import {
  aofVerdicts,
  type AofFileFacts,
  type AofProblem,
  type AofSetFacts,
  type AofVerdict,
} from './facts.ts';
import { judgeChain } from './judge-chain.ts';

const fix = fixAt('');

/** `path`: with a blank before it, where it is not the set of an instance. */
function fixAt(path: string): string {
  return `look at what would go: redis-agent aof check${path} --fix --to DIR; or restore a backup`;
}

/** The same problem of a set that lies somewhere. */
export function problemAt(path: string, problem: AofProblem): AofProblem {
  return problem.remedy === fix ? { ...problem, remedy: fixAt(` ${shellWord(path)}`) } : problem;
}

/** Everything that is wrong with a set, worst first. */
export function judgeAofSet(facts: AofSetFacts): AofProblem[] {
  const problems = [
    ...facts.files.flatMap((file, index) => judgeFile(file, index === facts.files.length - 1, facts)),
    ...facts.missing.map((name): AofProblem => ({
      verdict: 'missing',
      severity: 'critical',
      file: name,
      summary: `${name} is in the manifest and not there: the server cannot start with this`,
      remedy: 'find out who removed it; while the server runs, BGREWRITEAOF makes a whole set anew',
    })),
    ...(facts.unmoved === undefined ? [] : [cutOff(facts.unmoved)]),
    ...facts.unlisted.map((name): AofProblem => ({
      verdict: 'unexpected',
      severity: 'warning',
      file: name,
      summary: `${name} lies beside the AOF and is in no manifest: the server does not load it`,
      remedy: 'if it is of no use any more, move it out of the folder',
    })),
    ...(facts.manifest === undefined ? [] : judgeNames(facts.manifest)),
    ...judgeChain(facts.files),
    ...judgeEmptied(facts),
  ];
  return worstFirst(problems);
}

function cutOff(path: string): AofProblem {
  return {
    verdict: 'unexpected',
    severity: 'info',
    file: null,
    summary: `an upgrade from a server before 7.0 was cut off: the next start takes ${path} into the folder`,
    remedy: 'nothing: start the server, and leave both where they are until then',
  };
}

export function worstFirst(problems: readonly AofProblem[]): AofProblem[] {
  return problems.toSorted((a, b) => rankOf(b) - rankOf(a));
}

function rankOf({ severity, verdict }: AofProblem): number {
  return severities.indexOf(severity) * aofVerdicts.length + aofVerdicts.indexOf(verdict);
}

/** That of the worst; what is worth knowing only (`info`) is no problem. */
export function verdictOf(problems: readonly AofProblem[]): AofVerdict {
  const [worst] = worstFirst(problems);
  return worst === undefined || worst.severity === 'info' ? 'ok' : worst.verdict;
}

function judgeFile(file: AofFileFacts, isLast: boolean, facts: AofSetFacts): AofProblem[] {
  const { scan, name } = file;
  const { end } = scan;
  const cut = facts.cuts.find((each) => each.file === name);
  const corrupt = (summary: string): AofProblem[] => [
    { verdict: 'corrupt', severity: 'critical', file: name, summary: `${name}: ${summary}`, remedy: fix },
  ];
  if (end.state === 'ok') return [];
  if (end.state === 'unknown')
    return [
      {
        verdict: 'unknown',
        severity: 'warning',
        file: name,
        summary: `${name} cannot be read at byte ${end.offset}: ${end.why}`,
        remedy: 'it may be sound: the check tool of the server’s own version knows',
      },
    ];
  if (end.state === 'hostile')
    return [
      {
        verdict: 'hostile',
        severity: 'critical',
        file: name,
        summary: `${name} is hostile: ${end.command} at byte ${end.offset} is no command that a server writes; whoever loads the file runs it`,
        remedy: facts.live
          ? 'do not restart the server with it, and find out who wrote it; BGREWRITEAOF makes a whole set anew from memory'
          : 'start no server with it, and find out who wrote it; restore a backup of before',
      },
    ];
  const behind =
    cut === undefined || cut.behind === 0
      ? ''
      : `; at least ${counted(cut.behind, 'whole command')} ${verb(cut.behind, 'follows', 'follow')}`;
  if (end.state === 'corrupt')
    return corrupt(
      `corrupt at byte ${end.offset}: expected ${end.expected}, found ${end.found}; sound up to byte ${scan.sound}${behind}`,
    );
  if (end.inside === 'preamble')
    return corrupt(`it ends after ${file.size} bytes, inside the RDB at its start`);
  if (behind !== '')
    return corrupt(
      `the ${end.inside} at byte ${end.command ?? scan.sound} is broken${behind}, and the server would silently cut off all of it`,
    );
  if (!isLast)
    return corrupt(`it ends inside a ${end.inside} at byte ${scan.sound}, and it is not the last file`);
  return [judgeTear(file, end.inside, cut, facts)];
}

function judgeTear(
  { name, scan, size }: AofFileFacts,
  inside: string,
  cut: AofCut | undefined,
  { loadTruncated, live }: AofSetFacts,
): AofProblem {
  const what = `${name} ends inside a ${inside}: ${formatBytes(size - scan.sound)} behind byte ${scan.sound}`;
  const lost =
    cut === undefined || cut.commands.length === 0 ? '' : ` (${cut.commands.slice(0, 3).join('; ')})`;
  // A start may cut a torn command out of a transaction and leave its MULTI: all that is written from then on belongs to
  // a transaction without end, and the next start drops it.
  if (live)
    return {
      verdict: 'torn',
      severity: 'critical',
      file: name,
      summary: `${what}${lost}; the server writes behind it, and the next start would cut all of that off`,
      remedy: 'run BGREWRITEAOF now: it writes a whole set anew from memory',
    };
  if (loadTruncated === false)
    return {
      verdict: 'torn',
      severity: 'critical',
      file: name,
      summary: `${what}${lost}; the server will not load it, since aof-load-truncated is no`,
      remedy: fix,
    };
  return {
    verdict: 'torn',
    severity: 'warning',
    file: name,
    summary: `${what}${lost}; a server ${loadTruncated === true ? '' : 'with aof-load-truncated yes (the default) '}loads it and cuts that off`,
    remedy: 'nothing, when the server or its host was just cut off; else find out what did this',
  };
}

/** A file without a byte is sound: that of a server which was never written to. But not, when it was. */
function judgeEmptied({ files, missing, written = 0 }: AofSetFacts): AofProblem[] {
  if (written === 0 || missing.length > 0 || files.some(({ size }) => size > 0)) return [];
  return [
    {
      verdict: 'corrupt',
      severity: 'critical',
      file: files[0]?.name ?? null,
      summary: `it is empty, and the server has written ${formatBytes(written)}: the next start would be empty too`,
      remedy: 'run BGREWRITEAOF now, and find out who emptied it',
    },
  ];
}

/** Servers name files after their number: another name was written by somebody else. */
function judgeNames({ base, incrs }: AofManifest): AofProblem[] {
  return [...(base === undefined ? [] : [base]), ...incrs].flatMap(({ name, seq, type }): AofProblem[] => {
    const [, number, kind] = /\.(\d{1,15})\.(base|incr)\.(?:rdb|aof)$/.exec(name) ?? [];
    if (number === undefined || (Number(number) === seq && kind === (type === 'b' ? 'base' : 'incr')))
      return [];
    return [
      {
        verdict: 'sequence',
        severity: 'high',
        file: name,
        summary: `${name} is in the manifest as ${type === 'b' ? 'base' : 'incr'} ${seq}, which its name contradicts`,
        remedy: 'find out who wrote the manifest: the server loads the files in its order',
      },
    ];
  });
}
