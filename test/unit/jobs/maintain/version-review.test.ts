import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EvidenceSource } from '../../../../src/jobs/maintain/evidence/source.ts';
import { versionReview } from '../../../../src/jobs/maintain/evidence/version-review.ts';
import { openState, type State } from '../../../../src/state/db/open.ts';
import { recordEvaluation } from '../../../../src/app/findings.ts';
import { systemClock } from '../../../../src/lib/time/system-clock.ts';
import { memoryLog } from '../../../support/agent/memory-log.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const path = process.env['PATH'];
let folder: string;
let state: State;
beforeEach(() => {
  folder = makeTempFolder();
  state = openState(folder, { clock: systemClock, log: memoryLog() });
  process.env['PATH'] = `${folder}:${path}`;
});
afterEach(() => {
  process.env['PATH'] = path;
  state.close();
  removeTempFolder(folder);
});

/** As Debian's apt-cache says it; no other package is installed. */
function offer(installed: string, candidate: string): void {
  const program = join(folder, 'apt-cache');
  const said = `redis-server:\\n  Installed: ${installed}\\n  Candidate: ${candidate}\\n  Version table:\\n`;
  writeFileSync(program, `#!/bin/sh\n[ "$2" = redis-server ] && printf '${said}'\nexit 0\n`);
  chmodSync(program, 0o755);
}

/** What stands against the version, by the audit. */
function find(severity: 'high' | 'info'): void {
  recordEvaluation(
    { state, clock: systemClock, log: memoryLog() },
    {
      instance: 'main',
      evaluated: [{ rules: ['VER02'] }],
      findings: [
        {
          instance: 'main',
          rule: 'VER02',
          resource: 'redis-7.0',
          severity,
          summary: 'redis 7.0 gets no fixes from its makers',
          remedy: 'plan the move',
          evidence: {},
        },
      ],
      unknown: [],
    },
  );
}

async function reviewed(): Promise<[text: string, ok: boolean | null][]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it looks at
  const source = {
    instance: { name: 'main' },
    state,
    signal: new AbortController().signal,
    connect: () => Promise.resolve({ call: () => Promise.resolve('redis_version:7.0.15\r\n') }),
  } as unknown as EvidenceSource;
  return (await versionReview(source)).map(({ text, ok }) => [text, ok]);
}

const newest = 'the package redis-server 5:7.0.15-1 is the newest that this host’s lists offer';

test('a version that nothing is known against, and the newest there is', async () => {
  offer('5:7.0.15-1', '5:7.0.15-1');
  expect(await reviewed()).toEqual([
    ['runs redis 7.0.15', true],
    [newest, true],
  ]);
});

test('an older one than the lists offer', async () => {
  offer('5:7.0.15-1', '5:7.0.15-2');
  expect(await reviewed()).toContainEqual([
    'the package redis-server 5:7.0.15-1 can be upgraded to 5:7.0.15-2',
    false,
  ]);
});

test.each([
  ['high', false],
  // Old, and mended by the distribution: said, and nothing to do today.
  ['info', true],
] as const)('a line without fixes, %s', async (severity, ok) => {
  offer('5:7.0.15-1', '5:7.0.15-1');
  find(severity);
  expect(await reviewed()).toEqual([
    ['runs redis 7.0.15', ok],
    ['redis 7.0 gets no fixes from its makers', ok],
    [newest, true],
  ]);
});

test('of what no package brought, what is newest is not known', async () => {
  offer('(none)', '5:7.0.15-1');
  expect(await reviewed()).toContainEqual([
    'no package of it is installed here: what is newest is not known',
    null,
  ]);
});
