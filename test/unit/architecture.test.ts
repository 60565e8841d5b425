import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { violations } from '../support/house/house-rules.ts';
import { readSourceTree, sourceTree } from '../support/house/source-tree.ts';

// docs/ARCHITECTURE.md says why; test/support/house/house-rules.ts holds the rules themselves.
const tree = readSourceTree(join(import.meta.dirname, '../../src'));

describe('the house', () => {
  test('keeps its rules', () => {
    expect(violations(tree)).toEqual([]);
  });

  test('is seen: the files and their imports', () => {
    const imports = [...tree.values()].flatMap((file) => file.imports);
    expect(tree.size).toBeGreaterThan(120);
    expect(imports.length).toBeGreaterThan(3 * tree.size);
    // A table of data beside the code that reads it is no file of the tree.
    const missing = imports.filter(
      ({ target }) => target !== undefined && !/^\.\.|\.json$/.test(target) && !tree.has(target),
    );
    expect(missing).toEqual([]);
  });
});

/** A tree without violations, for one to be planted in. */
const sound: Record<string, string> = {
  'main.ts': "const { runCli } = await import('./cli/run.ts');\n",
  'cli/run.ts': "import { commands } from './commands/index.ts';\n",
  'cli/commands/index.ts': "import { backup } from './backup.ts';\nexport const commands = [backup];\n",
  'cli/commands/backup.ts': "import { job } from '../../jobs/backup/backup.ts';\n",
  'jobs/backup/backup.ts':
    "import {\n  take,\n  type Taken,\n} from '../../backup/snapshot/take.ts';\nimport '../../state/open.ts';\n",
  'backup/snapshot/take.ts':
    "import type { Store } from '../store/store.ts';\nimport { readFile } from 'node:fs/promises';\n",
  'backup/store/store.ts': "import type { Clock } from '../../domain/clock.ts';\n",
  'backup/prune/policy.ts': "import { day } from '../../lib/duration.ts';\n",
  'state/open.ts': "import { DatabaseSync } from 'node:sqlite';\n",
  'lib/duration.ts': "import { AgentError } from '../domain/errors.ts';\nexport const day = 86_400_000;\n",
  'domain/clock.ts': '/** Not code: import("node:fs") */\n',
  'domain/errors.ts': '',
};

describe('the checker', () => {
  test('finds nothing in a sound tree', () => {
    expect(violations(sourceTree(sound))).toEqual([]);
  });

  test.for<[what: string, path: string, line: string, finding: string]>([
    [
      'an import upward',
      'lib/duration.ts',
      "import { x } from '../redis/connect.ts';",
      'lib imports redis/connect.ts',
    ],
    [
      'a type from above',
      'jobs/backup/backup.ts',
      "import type { App } from '../../app/app.ts';",
      'jobs imports app/app.ts',
    ],
    [
      'a re-export from above',
      'jobs/backup/backup.ts',
      "export { x } from '../../app/app.ts';",
      'jobs imports app/app.ts',
    ],
    [
      'a lazy import from above',
      'jobs/backup/backup.ts',
      "  await import('../../app/app.ts');",
      'jobs imports app/app.ts',
    ],
    [
      'an import over several lines',
      'jobs/backup/backup.ts',
      "import {\n  a,\n  b,\n} from '../../cli/run.ts';",
      'jobs imports cli',
    ],
    [
      'a room of the same rank',
      'jobs/backup/backup.ts',
      "import { x } from '../../config/load.ts';",
      'jobs imports config',
    ],
    [
      'lib in the domain',
      'domain/clock.ts',
      "import { day } from '../lib/duration.ts';",
      'domain imports lib',
    ],
    ['an unknown room', 'utils/all.ts', '', 'utils is no room'],
    ['another step', 'backup/snapshot/take.ts', "import { x } from '../prune/policy.ts';", 'of another step'],
    [
      'more of the port than its types',
      'backup/snapshot/take.ts',
      "import { x } from '../store/store.ts';",
      'of another step',
    ],
    ['node in a pure place', 'domain/clock.ts', "import { cpus } from 'node:os';", 'imports node:os'],
    ['a package in a pure place', 'backup/prune/policy.ts', "import { z } from 'zod';", 'imports zod'],
    [
      'node behind a pure place',
      'lib/duration.ts',
      "import 'node:os';",
      'backup/prune/policy.ts: is pure, and imports node:os',
    ],
    [
      'a subject of jobs above',
      'jobs/prove/prove.ts',
      "import { x } from '../backup/backup.ts';",
      'subject prove imports',
    ],
    ['a job without a subject', 'jobs/other.ts', '', 'other is no subject of jobs'],
    [
      'state in a judge',
      'jobs/backup/judge-it.ts',
      "import { open } from '../../state/open.ts';",
      'uses state',
    ],
    ['the clock in a judge', 'jobs/backup/judge-it.ts', 'const now = Date.now();', 'calls Date.now('],
    [
      'a cycle',
      'domain/errors.ts',
      "import type { Clock } from './clock.ts';\nimport './errors.ts';",
      'cycle: domain/errors.ts → domain/errors.ts',
    ],
    [
      'a cycle over two files',
      'backup/store/store.ts',
      "import { take } from '../snapshot/take.ts';",
      'cycle: backup/snapshot/take.ts → backup/store/store.ts → backup/snapshot/take.ts',
    ],
    ['a forgotten command', 'cli/commands/prune.ts', '', 'does not name cli/commands/prune.ts'],
    ['a heavy start', 'jobs/backup/backup.ts', "import { Redis } from 'ioredis';", 'loads ioredis at start'],
    [
      'a lazy package',
      'jobs/backup/backup.ts',
      "  await import('ioredis');",
      'imports the package ioredis lazily',
    ],
    ['a computed import', 'jobs/backup/backup.ts', '  await import(name);', 'by a computed name'],
    ['a long file', 'domain/errors.ts', '// line\n'.repeat(300), 'has 301 lines'],
  ])('finds %s', ([, path, line, finding]) => {
    const found = violations(sourceTree({ ...sound, [path]: `${sound[path] ?? ''}${line}\n` }));
    expect(found.join('\n')).toContain(finding);
  });
});
