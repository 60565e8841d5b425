import { describe, expect, test } from 'vitest';
import {
  estimateDump,
  judgePreflight,
  type PreflightFacts,
} from '../../../../src/backup/snapshot/judge-preflight.ts';

const gib = 2 ** 30;
const mib = 2 ** 20;

/** 4 GiB in a process of 5, half of which its dump takes, on a roomy host. */
const healthy: PreflightFacts = {
  loading: false,
  replica: undefined,
  lastSaveFailed: false,
  failureBlocksWrites: true,
  data: { keys: 1e6, changesSinceSave: 1000, dataset: 4 * gib, rss: 5 * gib, lastCopied: 0.25 * gib },
  disk: { folder: '/var/lib/redis', free: 100 * gib, dump: 2 * gib },
  place: {
    folder: '/var/lib/redis',
    file: 'dump.rdb',
    server: { uid: 104, groups: [111], override: false, owner: false },
    directory: { uid: 104, gid: 111, mode: 0o750 },
    dump: { uid: 104, folder: false },
    mounted: false,
    readOnly: false,
  },
  host: { available: 16 * gib, commitLimit: 32 * gib, committed: 8 * gib, overcommit: 1 },
  cgroup: { limit: 24 * gib, free: 18 * gib },
};

function checks(facts: Partial<PreflightFacts>): { refusals: string[]; warnings: string[] } {
  const { refusals, warnings } = judgePreflight({ ...healthy, ...facts });
  return { refusals: refusals.map(({ check }) => check), warnings: warnings.map(({ check }) => check) };
}

const fine = { refusals: [], warnings: [] };

test('nothing speaks against a healthy server, nor what cannot be seen', () => {
  expect(checks({})).toEqual(fine);
  expect(checks({ disk: undefined, place: undefined, host: undefined, cgroup: undefined })).toEqual(fine);
  expect(checks({ replica: { linkUp: true, syncing: false, downFor: undefined } })).toEqual(fine);
});

describe('state', () => {
  test('loading, a replica that is not up to date, a failed save', () => {
    expect(checks({ loading: true }).refusals).toEqual(['loading']);
    expect(checks({ replica: { linkUp: false, syncing: true, downFor: 5000 } }).refusals).toEqual([
      'replica',
    ]);
    expect(checks({ replica: { linkUp: false, syncing: false, downFor: 5000 } }).refusals).toEqual([
      'replica',
    ]);
    expect(checks({ lastSaveFailed: true, failureBlocksWrites: false })).toEqual({
      refusals: [],
      warnings: ['last-save'],
    });
    expect(checks({ lastSaveFailed: true })).toEqual({ refusals: ['last-save'], warnings: [] });
  });

  test('a lost master: how old the data is', () => {
    const replica = { linkUp: false, syncing: false };
    const why = (downFor: number | undefined): string | undefined =>
      judgePreflight({ ...healthy, replica: { ...replica, downFor } }).refusals[0]?.why;
    expect(why(125_000)).toBe('its data is 2m 05s old');
    expect(why(undefined)).toBe('its data is of unknown age');
  });
});

describe('the place of the dump', () => {
  const place = healthy.place!;
  const nobody = { ...place.server, uid: 65_534, groups: [65_534] };
  test.each<[string, Partial<typeof place>, 'refusals' | 'warnings' | 'fine']>([
    ['a folder of the server’s own', {}, 'fine'],
    ['one of its group', { directory: { uid: 0, gid: 111, mode: 0o770 } }, 'fine'],
    ['one for everybody', { directory: { uid: 0, gid: 0, mode: 0o777 } }, 'fine'],
    ['its own without the right to write', { directory: { uid: 104, gid: 111, mode: 0o577 } }, 'refusals'],
    ['one of its group, which may only read', { directory: { uid: 0, gid: 111, mode: 0o757 } }, 'refusals'],
    ['root’s', { directory: { uid: 0, gid: 0, mode: 0o755 } }, 'refusals'],
    [
      'of a group that it is not in, or with a list of rights',
      { server: nobody, directory: { uid: 0, gid: 5, mode: 0o770 } },
      'warnings',
    ],
    [
      'anybody’s, for a server that may do everything',
      { server: { ...nobody, override: true, owner: true } },
      'fine',
    ],
    ['a folder in the dump’s place', { dump: { uid: 104, folder: true } }, 'refusals'],
    ['a dump that is mounted', { mounted: true }, 'refusals'],
    ['mounted read-only', { readOnly: true }, 'refusals'],
    ['without a mount table', { mounted: undefined, readOnly: undefined }, 'fine'],
    ['without a dump', { dump: undefined }, 'fine'],
    [
      'a sticky one, with another’s dump',
      { directory: { uid: 0, gid: 0, mode: 0o1777 }, dump: { uid: 0, folder: false } },
      'refusals',
    ],
    ['a sticky one, with its own dump', { directory: { uid: 0, gid: 0, mode: 0o1777 } }, 'fine'],
  ])('%s', (_name, other, where) => {
    const found = checks({ place: { ...place, ...other } });
    expect(found).toEqual(where === 'fine' ? fine : { ...fine, [where]: ['place'] });
  });
});

function disk(free: number): PreflightFacts['disk'] {
  return { folder: '/var/lib/redis', free, dump: 2 * gib };
}

describe('disk', () => {
  test('the estimate: the present dump while it describes the data, else the data itself', () => {
    expect(estimateDump(healthy)).toBe(2.5 * gib);
    const noDump = { folder: '/var/lib/redis', free: gib, dump: undefined };
    expect(estimateDump({ ...healthy, disk: noDump })).toBe(4 * gib);
    const changed = { ...healthy.data, changesSinceSave: 100_001 };
    expect(estimateDump({ ...healthy, data: changed })).toBe(4 * gib);
    expect(estimateDump({ ...healthy, disk: undefined })).toBe(4 * gib);
  });

  test('half as much again and 64 MiB where a failure would block writes, else a tenth and 16 MiB', () => {
    const strict = 2.5 * gib * 1.5 + 64 * mib;
    expect(checks({ disk: disk(strict) })).toEqual(fine);
    expect(checks({ disk: disk(strict - 1) }).refusals).toEqual(['disk']);
    const relaxed = 2.5 * gib * 1.1 + 16 * mib;
    expect(checks({ failureBlocksWrites: false, disk: disk(relaxed) })).toEqual(fine);
    expect(checks({ failureBlocksWrites: false, disk: disk(relaxed - 1) }).refusals).toEqual(['disk']);
  });

  test('says what is there, what is wanted and what a failure would do', () => {
    const [problem] = judgePreflight({ ...healthy, disk: disk(gib) }).refusals;
    expect(problem).toEqual({
      check: 'disk',
      what: 'too little room in /var/lib/redis',
      why: '1.0 GiB free, 3.8 GiB wanted for a dump of about 2.5 GiB, and a save that fails would stop writes (stop-writes-on-bgsave-error)',
      next: 'free some space there',
    });
  });
});

describe('memory', () => {
  const least = 0.5 * gib + 8 * mib; // a tenth of the process
  const cautious = 2.5 * gib; // half of it

  const host = (available: number): PreflightFacts['host'] => ({
    available,
    commitLimit: 64 * gib,
    committed: 0,
    overcommit: 1,
  });

  test.each([
    [cautious, fine],
    [cautious - 1, { refusals: [], warnings: ['memory'] }],
    [least, { refusals: [], warnings: ['memory'] }],
    [least - 1, { refusals: ['memory'], warnings: [] }],
  ])('%d bytes available on the host', (available, expected) => {
    expect(checks({ host: host(available) })).toEqual(expected);
  });

  test('what the last save copied counts when it is more', () => {
    const data = { ...healthy.data, lastCopied: 2 * gib };
    expect(checks({ data, host: host(3 * gib) }).refusals).toEqual(['memory']);
    expect(checks({ data, host: host(4 * gib) })).toEqual({ refusals: [], warnings: ['memory'] });
    expect(checks({ data, host: host(6 * gib) })).toEqual(fine);
  });

  test('the control group counts like the host', () => {
    const cgroup = { limit: 6 * gib, free: 0.4 * gib };
    const [problem] = judgePreflight({ ...healthy, cgroup }).refusals;
    expect(problem?.check).toBe('cgroup');
    expect(problem?.what).toContain('limit 6.0 GiB');
    expect(problem?.why).toBe(
      '410 MiB free, 520 MiB wanted (the server has 5.0 GiB, the last save copied 256 MiB)',
    );
    expect(checks({ cgroup: { limit: 6 * gib, free: gib } }).warnings).toEqual(['cgroup']);
  });

  test('overcommit: 2 must have room for the whole process, 0 ought to, 1 need not', () => {
    const room = { available: 4 * gib, commitLimit: 8 * gib };
    const judged = (overcommit: number, committed: number) =>
      checks({ host: { ...room, committed, overcommit } });
    expect(judged(2, 3 * gib)).toEqual(fine);
    expect(judged(2, 3 * gib + 1).refusals).toEqual(['overcommit']);
    expect(judged(2, 9 * gib).refusals).toEqual(['overcommit']);
    expect(judged(0, 0)).toEqual({ refusals: [], warnings: ['overcommit'] });
    expect(judged(1, 9 * gib)).toEqual(fine);
  });
});
