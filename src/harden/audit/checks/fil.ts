import type { PathFacts } from '../../facts.ts';
import { setting } from '../../facts.ts';
import { check, fine, given, notHere, type Check, type Violation } from '../check.ts';
import { sources } from '../sources.ts';

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

function wider(paths: readonly PathFacts[], most: number, what: string): Violation[] {
  return paths
    .filter(({ mode }) => (mode & 0o777 & ~most) !== 0)
    .map(({ path, mode, owner }) => ({
      resource: path,
      summary: `${path} is open to more users than it should be: ${what} (${owner}, mode ${octal(mode)})`,
      remedy: `chmod ${octal(most)} ${path}`,
      effect: 'host' as const,
      proof: 'stat',
      evidence: { mode: octal(mode) },
    }));
}

const confMode: Check = check(
  'FIL01',
  {
    severity: 'high',
    title: 'configuration files that every user can read',
    why: 'They hold passwords, or hashes that can be tried on another machine. CONFIG REWRITE and ACL SAVE make them wider again.',
    source: sources.config,
  },
  (facts) =>
    given(facts.files, ({ stats }) => {
      if (stats.length === 0)
        return facts.mode === 'files'
          ? notHere('the files were given as text')
          : { missing: 'the files cannot be seen' };
      return wider(stats, 0o640, 'users of the host read the server’s secrets');
    }),
);

const dataMode: Check = check(
  'FIL02',
  {
    severity: 'high',
    title: 'a data folder that every user can enter',
    why: 'Who reads dump.rdb has all data, without a password.',
    source: sources.persistence,
  },
  (facts) =>
    given(facts.host, ({ dataDir }) =>
      given(dataDir, (folder) => wider([folder], 0o750, 'users of the host read the data')),
    ),
);

const symlink: Check = check(
  'FIL03',
  {
    severity: 'info',
    title: 'the configuration is a symbolic link',
    why: 'CONFIG REWRITE puts a file in the place of the link: what it pointed at is not changed, and no longer used.',
    source: sources.config,
  },
  (facts) =>
    given(facts.files, ({ stats }) =>
      stats
        .filter((each) => each.symlink)
        .map(({ path }) => ({
          resource: path,
          summary: `${path} is a symbolic link, which CONFIG REWRITE or ACL SAVE would replace by a file`,
          remedy: 'put the file itself there, or let nobody run CONFIG REWRITE and ACL SAVE',
          effect: 'host' as const,
          proof: 'lstat',
        })),
    ),
);

const mounted: Check = check(
  'FIL04',
  {
    severity: 'warning',
    title: 'a file that is mounted by itself cannot be rewritten',
    why: 'CONFIG REWRITE, ACL SAVE and Sentinel write a new file and rename it: over a mounted file that fails ("Resource busy"), and a change is lost with the next start.',
    source: 'https://github.com/redis/redis/issues/12084',
  },
  (facts) =>
    given(facts.files, ({ stats }) =>
      stats
        .filter(({ mountPoint }) => mountPoint)
        .map(({ path }) => ({
          resource: path,
          summary: `${path} is mounted as a single file: CONFIG REWRITE and ACL SAVE fail there`,
          remedy: 'mount its folder instead of the file',
          effect: 'host' as const,
          proof: 'mountinfo',
        })),
    ),
);

const keyMode: Check = check(
  'FIL05',
  {
    severity: 'high',
    title: 'a private key that others can read',
    why: 'With it anybody is this server, and reads what was recorded of it where old key exchanges are allowed.',
    source: sources.tls,
  },
  (facts) => {
    const path = setting(facts, 'tls-key-file').value?.value;
    if (path === undefined || path === '') return notHere('there is no TLS key');
    if (facts.host.value === undefined) return given(facts.host, () => fine);
    return given(facts.host.value.keyFile, (key) => wider([key], 0o640, 'users of the host read the key'));
  },
);

export const filChecks: readonly Check[] = [confMode, dataMode, symlink, mounted, keyMode];
