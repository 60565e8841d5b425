import { describe, expect, test } from 'vitest';
import type { AofFileFacts, AofSetFacts } from '../../../../src/backup/aof/facts.ts';
import { judgeAofSet, verdictOf } from '../../../../src/backup/aof/judge-set.ts';
import type { AofScan } from '../../../../src/formats/aof/aof-scanner.ts';

const sound: AofScan = {
  bytes: 100,
  commands: 5,
  sound: 100,
  soundCommands: 5,
  timestamps: undefined,
  preamble: undefined,
  end: { state: 'ok' },
};
const torn: AofScan = { ...sound, sound: 80, end: { state: 'torn', inside: 'command', command: 80 } };

function file(type: AofFileFacts['type'], seq: number, scan: Partial<AofScan> = {}): AofFileFacts {
  const name = type === 'b' ? `a.${seq}.base.rdb` : `a.${seq}.incr.aof`;
  return { name, type, seq, extra: [], size: 100, modified: String(seq), scan: { ...sound, ...scan } };
}

function judge(facts: Partial<AofSetFacts>): {
  verdict: string;
  severities: string[];
  summary: string | undefined;
} {
  const problems = judgeAofSet({
    files: [],
    manifest: undefined,
    missing: [],
    unlisted: [],
    cuts: [],
    live: false,
    loadTruncated: undefined,
    ...facts,
  });
  return {
    verdict: verdictOf(problems),
    severities: problems.map(({ severity }) => severity),
    summary: problems[0]?.summary,
  };
}

const cut = { file: 'a.2.incr.aof', offset: 80, bytes: 20, commands: ['SET a'], complete: 0, behind: 0 };
const base = file('b', 1);
const withCreated = (createdAt: number): AofFileFacts =>
  file('b', 1, {
    preamble: {
      version: { engine: 'redis', version: 10 },
      bytes: 100,
      keys: 1,
      createdAt,
      writtenBy: undefined,
    },
  });
const at = (first: number, last = first): Partial<AofScan> => ({ timestamps: { first, last } });

test('nothing wrong', () => {
  expect(judge({ files: [base, file('i', 1), file('i', 5)] })).toEqual({
    verdict: 'ok',
    severities: [],
    summary: undefined,
  });
});

describe('a torn tail', () => {
  const files = [base, file('i', 2, torn)];
  test.for<[what: string, facts: Partial<AofSetFacts>, verdict: string, severity: string, summary: RegExp]>([
    [
      'as a server loads it',
      { files, cuts: [cut], loadTruncated: true },
      'torn',
      'warning',
      /20 B behind byte 80 \(SET a\); a server loads it/,
    ],
    ['of unknown configuration', { files }, 'torn', 'warning', /with aof-load-truncated yes \(the default\)/],
    ['as no server loads it', { files, loadTruncated: false }, 'torn', 'critical', /will not load it/],
    [
      'that a server writes behind',
      { files, live: true, loadTruncated: true },
      'torn',
      'critical',
      /writes behind it/,
    ],
    [
      'with whole commands behind it',
      { files, cuts: [{ ...cut, behind: 9 }] },
      'corrupt',
      'critical',
      /silently cut off all/,
    ],
    [
      'of a file that is not the last',
      { files: [base, file('i', 2, torn), file('i', 3)] },
      'corrupt',
      'critical',
      /not the last file/,
    ],
    [
      'inside the RDB',
      { files: [file('b', 1, { end: { state: 'torn', inside: 'preamble', command: undefined } })] },
      'corrupt',
      'critical',
      /inside the RDB/,
    ],
  ])('%s', ([, facts, verdict, severity, summary]) => {
    expect(judge(facts)).toEqual({
      verdict,
      severities: [severity],
      summary: expect.stringMatching(summary),
    });
  });
});

describe('base and incrs', () => {
  const offsets = (seq: number, ...extra: [string, string][]): AofFileFacts => ({ ...file('i', seq), extra });
  test.for<[what: string, files: AofFileFacts[], verdict: string]>([
    ['an incr from before its base', [withCreated(1000), file('i', 1, at(900))], 'mismatch'],
    ['an incr of the same second', [withCreated(1000), file('i', 1, at(999))], 'ok'],
    [
      'incrs in the wrong order by annotations',
      [base, file('i', 1, at(500, 600)), file('i', 2, at(400, 450))],
      'mismatch',
    ],
    ['incrs in order', [base, file('i', 1, at(500, 600)), file('i', 2, at(600, 700))], 'ok'],
    [
      'a gap of offsets',
      [base, offsets(1, ['startoffset', '1'], ['endoffset', '5']), offsets(2, ['startoffset', '9'])],
      'mismatch',
    ],
    ['offsets that meet', [base, offsets(1, ['endoffset', '5']), offsets(2, ['startoffset', '5'])], 'ok'],
    [
      'times of files alone: worth knowing only',
      [base, { ...file('i', 1), modified: '9' }, file('i', 2)],
      'ok',
    ],
    ['a second that is no date', [withCreated(9e14), file('i', 1, at(1))], 'mismatch'],
  ])('%s', ([, files, verdict]) => {
    expect(judge({ files }).verdict).toBe(verdict);
  });
});

test('worst first: missing before unexpected, and names that contradict the manifest', () => {
  expect(judge({ files: [base], missing: ['a.1.incr.aof'], unlisted: ['x'] })).toMatchObject({
    verdict: 'missing',
    severities: ['critical', 'warning'],
  });
  const entry = { name: 'a.2.incr.aof', seq: 3, type: 'i' as const, extra: [] };
  expect(judge({ manifest: { base: undefined, incrs: [entry], history: [] } }).verdict).toBe('sequence');
});
