import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTempFolder, removeTempFolder } from '../house/temp-folder.ts';
import type { Login } from './traffic.ts';

/** Debian’s own python3, which has Debian’s Celery; another one on PATH has not. */
const python = '/usr/bin/python3';

/** Is Celery here? */
export function hasCelery(): boolean {
  try {
    execFileSync(python, ['-c', 'import celery, redis'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const tasks = `
from celery import Celery
app = Celery('tasks')
app.config_from_object('settings')

@app.task
def add(x, y):
    return x + y

@app.task(bind=True, max_retries=1)
def fails(self):
    raise self.retry(countdown=0)
`;

const drive = `
from celery import chord, group
from tasks import add, fails, app
assert add.delay(1, 2).get(timeout=20) == 3
assert add.apply_async((1, 2), countdown=0.2).get(timeout=20) == 3
assert add.apply_async((1, 2), priority=6).get(timeout=20) == 3
assert group(add.s(i, i) for i in range(3))().get(timeout=20) == [0, 2, 4]
assert chord((add.s(i, i) for i in range(3)), add.s([9])).delay().get(timeout=20) == [0, 2, 4, 9]
try:
    fails.delay().get(timeout=20)
except Exception:
    pass
assert app.control.ping(timeout=1)
add.delay(1, 1).forget()
app.control.purge()
`;

/** A worker and what gives it work: results, groups, chords, retries, remote control and events. */
export async function celeryTraffic({ port, username, password }: Login): Promise<void> {
  const folder = makeTempFolder();
  const url = `redis://${username}:${password}@127.0.0.1:${port}/0`;
  writeFileSync(join(folder, 'tasks.py'), tasks);
  writeFileSync(join(folder, 'drive.py'), drive);
  writeFileSync(
    join(folder, 'settings.py'),
    `broker_url = '${url}'\nresult_backend = '${url}'\nworker_send_task_events = True\ntask_send_sent_event = True\n`,
  );
  const options = { cwd: folder, env: { PATH: '/usr/bin:/bin', HOME: folder, C_FORCE_ROOT: '1' } };
  const worker = spawn(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      python,
      '-m',
      'celery',
      '-A',
      'tasks',
      'worker',
      '-P',
      'solo',
      '-E',
      '-l',
      'INFO',
    ],
    { ...options, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  worker.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  worker.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(worker, 'close');
  try {
    while (!said.includes(' ready.')) {
      if (worker.exitCode !== null || said.includes('NOPERM'))
        throw new Error(`celery: ${said.slice(-2000)}`);
      await delay(20);
    }
    const driver = spawn(python, ['drive.py'], { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let error = '';
    driver.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
    const [code]: (number | null)[] = await once(driver, 'close');
    if (code !== 0) throw new Error(`celery: ${error.slice(-1500)}`);
  } finally {
    worker.kill('SIGTERM');
    await ended;
    removeTempFolder(folder);
  }
}
