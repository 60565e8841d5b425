import { counted } from '../../../lib/text/counted.ts';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import { cli, tryAsk, type NextStep, type Runbook, type Sight } from '../report.ts';

const tight = 0.05;

export const fullDiskRunbook: Runbook = async (context) => {
  const { info, instance, app } = context;
  const found: Sight[] = [];
  const steps: NextStep[] = [];
  const saves = info.get('rdb_last_bgsave_status') === 'err';
  const writes = info.get('aof_last_write_status') === 'err';
  if (saves) found.push({ state: 'cause', text: 'its last save failed' });
  if (writes)
    found.push({ state: 'cause', text: 'its append only file cannot be written: writes are refused' });
  if (!saves && !writes && info.size > 0)
    found.push({ state: 'fine', text: 'its last save and writes to disk went well' });
  const reply = await tryAsk(context, found, 'config|get', 'CONFIG', 'GET', 'dir');
  const dir = Array.isArray(reply) ? String(reply[1]) : undefined;
  const folders = [
    dir,
    app.settings.repository.type === 'filesystem' ? app.settings.repository.path : undefined,
    app.settings.state.path,
  ];
  let full = false;
  for (const folder of new Set(folders.filter((each) => each !== undefined))) {
    const space = await statfs(folder).catch(() => undefined);
    if (space === undefined) {
      found.push({ state: 'unknown', text: `${folder} cannot be looked at from here` });
      continue;
    }
    const [free, all] = [space.bavail * space.bsize, space.blocks * space.bsize];
    const short = free < tight * all || space.ffree === 0;
    full ||= short;
    found.push({
      state: short ? 'cause' : 'fine',
      text: `${folder}: ${formatBytes(free)} of ${formatBytes(all)} free${space.files > 0 && space.ffree === 0 ? ', and no inode' : ''}`,
    });
  }
  const saving = info.get('rdb_bgsave_in_progress') === '1' || info.get('aof_rewrite_in_progress') === '1';
  const left = dir === undefined || saving ? [] : await leftBehind(dir);
  if (left.length > 0) {
    const bytes = left.reduce((sum, { size }) => sum + size, 0);
    found.push({
      state: 'cause',
      text: `${counted(left.length, 'file')} of saves that were cut off, ${formatBytes(bytes)}: no save is running, nothing reads them`,
    });
    steps.push({
      why: 'gives that room back',
      command: `rm ${left.map(({ path }) => shellWord(path)).join(' ')}`,
      effect: 'changes',
    });
  }
  if (full)
    steps.push({
      why: 'what retention would let go of now',
      command: 'redis-agent backups prune --dry-run',
      effect: 'looks',
    });
  if (saves || writes) {
    steps.push({
      why: 'once there is room: a save that succeeds lets writes through again',
      command: `${cli(instance)} BGSAVE`,
      effect: 'changes',
    });
    steps.push({
      why: 'lets writes through meanwhile; what is written then is lost if it ends before a save',
      command: `${cli(instance)} CONFIG SET stop-writes-on-bgsave-error no`,
      effect: 'loses',
    });
  }
  return { applies: saves || writes || full, found, steps };
};

/** `temp-123.rdb` and their like, which a save that was killed leaves. */
async function leftBehind(dir: string): Promise<{ path: string; size: number }[]> {
  const names = await readdir(dir).catch(() => []);
  const files = names.filter((name) => /^temp-(?:\d+|rewriteaof-(?:bg-)?\d+)\.(?:rdb|aof)$/.test(name));
  return Promise.all(
    files.map(async (name) => {
      const path = join(dir, name);
      return { path, size: (await stat(path).catch(() => undefined))?.size ?? 0 };
    }),
  );
}
