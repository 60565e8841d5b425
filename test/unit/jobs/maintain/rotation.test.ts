import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { rotation } from '../../../../src/jobs/maintain/evidence/rotation.ts';
import { makeTempFolder, removeTempFolder } from '../../../support/house/temp-folder.ts';

const day = 24 * 60 * 60 * 1000;

/** A log of two MiB that was begun now, and logrotate with a file that names it. */
function rotated() {
  const folder = makeTempFolder();
  onTestFinished(() => removeTempFolder(folder));
  const [log, program, rules] = [join(folder, 'redis.log'), join(folder, 'logrotate'), makeTempFolder()];
  onTestFinished(() => removeTempFolder(rules));
  writeFileSync(log, Buffer.alloc(2 * 1024 * 1024));
  writeFileSync(program, '');
  writeFileSync(join(rules, 'redis-server'), `${folder}/*.log {\n  weekly\n  rotate 12\n}\n`);
  return { log, rules, places: { folder: rules, programs: [program] } };
}

test('a log that logrotate has turned within the month is in order', async () => {
  const { log, places } = rotated();
  expect(await rotation(log, Date.now(), places)).toMatchObject({ ok: true });
  const now = Date.now() + 60 * day;
  writeFileSync(`${log}.1`, '');
  utimesSync(`${log}.1`, new Date(now - 7 * day), new Date(now - 7 * day));
  expect(await rotation(log, now, places)).toMatchObject({ ok: true });
});

test.each<[what: string, break_: (of: ReturnType<typeof rotated>) => void, said: string]>([
  [
    'nothing names it',
    ({ rules }) => writeFileSync(join(rules, 'redis-server'), '/var/log/other { }'),
    'grows for ever',
  ],
  ['logrotate is not there', ({ places }) => places.programs.splice(0), 'logrotate is not installed'],
  [
    'what was rotated is old',
    ({ log }) => {
      writeFileSync(`${log}.1.gz`, '');
    },
    'was not rotated for 40 days: systemctl status logrotate.timer',
  ],
])('a log is named where %s', async (_, break_, said) => {
  const all = rotated();
  break_(all);
  const { text, ok } = await rotation(all.log, Date.now() + 60 * day, all.places);
  expect({ text, ok }).toEqual({ text: expect.stringContaining(said), ok: false });
});

test('a small log is left alone by logrotate too', async () => {
  const { log, places } = rotated();
  writeFileSync(log, 'a line\n');
  expect(await rotation(log, Date.now() + 60 * day, places)).toMatchObject({ ok: true });
});

test('where the folder cannot be read, nothing is known', async () => {
  const { log } = rotated();
  expect(await rotation(log, 0, { folder: '/no/such/folder', programs: [] })).toMatchObject({ ok: null });
});
