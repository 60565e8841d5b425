/**
 * Finds something, finds it gone, and tells both: `tell-child.ts DIRECTORY KILL_AT`. Before its KILL_AT-th write to the
 * database it kills itself; 0 for never. What it is told to say goes into DIRECTORY/heard, a line a notice; it prints how
 * often it wrote. Run again it goes on from what is there, as a daemon does after its start.
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { decide, type Policy } from '../../../src/alert/decide.ts';
import { Deliverer } from '../../../src/alert/deliver.ts';
import { recordEvaluation } from '../../../src/app/findings.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { systemClock } from '../../../src/lib/time/system-clock.ts';
import { openState } from '../../../src/state/db/open.ts';
import { outboxDepth } from '../../../src/state/alerts/outbox.ts';
import { memoryLog } from '../agent/memory-log.ts';
import { endHere } from '../house/end-here.ts';

const [directory = '', killAt = '0'] = process.argv.slice(2);
const log = memoryLog();
const state = openState(directory, { clock: systemClock, log });

let writes = 0;
const count = (): void => {
  writes += 1;
  if (writes === Number(killAt)) endHere();
};
// oxlint-disable-next-line typescript/unbound-method -- the proxy hands its `this` on
StatementSync.prototype.run = new Proxy(StatementSync.prototype.run, {
  apply(write, statement, args) {
    count();
    return Reflect.apply(write, statement, args);
  },
});
// oxlint-disable-next-line typescript/unbound-method -- as above
DatabaseSync.prototype.exec = new Proxy(DatabaseSync.prototype.exec, {
  apply(exec, database, args: [string]) {
    if (args[0] !== 'BEGIN IMMEDIATE') count();
    Reflect.apply(exec, database, args);
  },
});

const minute = 60_000;
const policy: Policy = {
  settings: {
    channels: [{ name: 'hook', type: 'exec', command: ['/bin/true'], timeout: 1000 }],
    routes: [],
    digest: null,
    links: null,
    escalation: [],
    windows: [],
    group_wait: 0,
    group_interval: 0,
    repeat: { critical: 600 * minute, high: 600 * minute, warning: 600 * minute },
    give_up_after: 600 * minute,
  },
  rules: new Map(),
  timezone: 'UTC',
  nextDigest: () => null,
  work: () => [],
};
const finding: Finding = {
  instance: 'main',
  rule: 'backup-stale',
  resource: 'main',
  severity: 'critical',
  summary: 'too old',
  remedy: 'make one',
  evidence: {},
};

/** Once only, whoever is killed in between: what a job saw is lost with it, and the next one sees it again. */
function look(findings: Finding[], name: string): void {
  const seen = join(directory, name);
  if (existsSync(seen)) return;
  recordEvaluation(
    { state, clock: systemClock, log },
    { instance: 'main', evaluated: [{ rules: ['backup-stale'] }], findings },
  );
  writeFileSync(seen, '');
}

async function tell(): Promise<void> {
  decide(state, policy, systemClock.now());
  const deliverer = new Deliverer({
    state,
    clock: systemClock,
    log,
    open: async () => ({
      name: 'hook',
      description: 'a file',
      pace: 0,
      async send(notice) {
        for (const { change } of notice.items)
          appendFileSync(join(directory, 'heard'), `${notice.key} ${change}\n`);
        return { ok: true, answer: 'heard' };
      },
      check: async () => ({ ok: true, detail: '' }),
      close() {},
    }),
    giveUpAfter: 600 * minute,
    redact: (text) => text,
    random: () => 0,
  });
  while (outboxDepth(state).length > 0)
    await new Promise<void>((resolve) => deliverer.start(['hook'], new AbortController().signal, resolve));
  await deliverer.close();
}

look([finding], 'found');
await tell();
look([], 'gone');
await tell();
state.close();
console.log(writes);
