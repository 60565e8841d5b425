import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { longest } from '../support/house/longest-first.ts';

// What must hold for the files of the repository as a whole.
const root = join(import.meta.dirname, '../..');

/** Tracked files and those that would be. */
function repositoryFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  return [...new Set(list.toString().split('\0'))].filter(
    (path) => path !== '' && existsSync(join(root, path)),
  );
}

test('messages count one as one: by counted(), unless a number before says that there are several', () => {
  const nouns =
    'keys|jobs|clients|days|files|errors|backups|hosts|findings|changes|commands|servers|instances|replicas|rules|versions|databases|workers|queues|alerts|notices|masters|elements|hours';
  const count = new RegExp(`\\$\\{(?:[^{}]|\\{[^{}]*\\})*\\} (?:more |other |old )?(?:${nouns})\\b(?!/)`);
  const fine =
    /\bof (?:these )?\$\{|more than \$\{|=== 1 \?|known\.length > |grants\.length > 12|names\.length|process may open|commands this/;
  const found = repositoryFiles()
    .filter((path) => /^src\/.*\.ts$/.test(path) && !path.startsWith('src/formats/'))
    .flatMap((path) =>
      readFileSync(join(root, path), 'utf8')
        .split('\n')
        .filter((line) => count.test(line) && !fine.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
  expect(found).toEqual([]);
});

/** Put together here, so that this file does not name them either. */
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['snapshot', 'debian', 'org'],
  ['archive', 'ubuntu', 'com'],
  ['files', 'pythonhosted', 'org'],
  ['docker', 'io'],
  ['ghcr', 'io'],
].map((labels) => labels.join('.'));

test('no package registry or mirror is named: the machine that installs decides', () => {
  const files = repositoryFiles();
  expect(files.length).toBeGreaterThan(100);
  const naming = files.filter((path) => {
    const text = readFileSync(join(root, path), 'latin1');
    return hosts.some((host) => text.includes(host));
  });
  expect(naming).toEqual([]);
});

test('the files that are begun with are there', () => {
  expect(longest.filter((name) => !existsSync(join(root, name)))).toEqual([]);
});

describe('package-lock.json', () => {
  interface Package {
    version?: string;
    resolved?: string;
    integrity?: string;
    optionalDependencies?: Record<string, string>;
  }
  const lock: { packages: Record<string, Package> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

  test('holds integrity and no address for every package', () => {
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(packages.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  // npm leaves a platform's package out when it cannot be had, without a word; `npm ci` then refuses the lock.
  test('names the packages of all platforms', () => {
    const missing = packages.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  test('has the project’s own Node for both architectures, at one version', () => {
    const versions = ['x64', 'arm64'].map(
      (arch) => lock.packages[`node_modules/node-linux-${arch}`]?.version,
    );
    expect(versions[0]).toMatch(/^24\./);
    expect(versions[1]).toBe(versions[0]);
  });
});

test('nothing lies at the top that has no place there', () => {
  const top = execFileSync('git', ['ls-files', '-z'], { cwd: root })
    .toString()
    .split('\0')
    .map((path) => path.split('/')[0] ?? '');
  const known = new Set(
    (
      ' .ci conf docs scripts src systemd test package.json package-lock.json tsconfig.json vitest.config.ts ' +
      'knip.json .npmrc .editorconfig .gitignore .oxfmtrc.json .oxlintrc.json README.md LICENSE CHANGELOG.md ' +
      'CONTRIBUTING.md'
    ).split(' '),
  );
  expect([...new Set(top)].filter((name) => !known.has(name))).toEqual([]);
});
