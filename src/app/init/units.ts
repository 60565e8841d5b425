import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { localHost } from '../../backup/restore/host/local-host.ts';
import { AgentError, messageOf, systemCode } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { groupName, userName } from '../../lib/files/file-owner.ts';
import { ownFolder } from '../../lib/own-files.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import { writeAtomic } from '../../lib/files/write-atomic.ts';
import { readConfig, readInfo } from '../../redis/server.ts';
import type { App } from '../build-app.ts';

/** What lets people who are no root restore, and change servers. */
export interface UnitsReport {
  /** Of each instance: whose server it is, and where that has its data. Null, with why, where no unit can work for it. */
  instances: { instance: string; user: string | null; dir: string | null; why: string | null }[];
  /** Paths. */
  written: string[];
  outcome: 'planned' | 'enabled';
}

const place = '/etc/systemd/system';
const anchors = ['redis-agent-restore.socket', 'redis-agent-apply.socket'];

interface Served {
  user: string;
  group: string;
  dir: string;
  /** Of its configuration, where that is that user's own. */
  conf: string | undefined;
}

/**
 * Writes the units that work as the users of the configured servers in their folders, and starts the sockets by which
 * members of the group redis-agent-admin ask for a restore or a change of a server. Rejects with an AgentError `usage` where we are not root
 * or no package has brought the other units, `failed` where systemd refuses.
 */
export async function writeUnits(
  app: App,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<UnitsReport> {
  if (process.geteuid?.() !== 0)
    throw new AgentError('usage', 'only root writes units', { hint: 'sudo redis-agent init --units' });
  const folders = [place, '/usr/lib/systemd/system', '/lib/systemd/system'];
  const missing = anchors.find((anchor) => !folders.some((path) => existsSync(join(path, anchor))));
  if (missing !== undefined)
    throw new AgentError('usage', `there is no ${missing} on this host`, {
      hint: 'install the package, or scripts/install.sh: see docs/install.md',
    });
  const instances: UnitsReport['instances'] = [];
  const served: Served[] = [];
  for (const instance of app.settings.instances) {
    const { name } = instance;
    try {
      const one = await lookAt(app, instance, signal);
      served.push(one);
      instances.push({ instance: name, user: one.user, dir: one.dir, why: null });
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      instances.push({ instance: name, user: null, dir: null, why: error.message });
    }
  }
  const files = Object.entries(Object.groupBy(served, ({ user }) => user)).flatMap(([user, all = []]) =>
    filesFor(user, all),
  );
  const report = { instances, written: files.map(({ path }) => path) };
  if (dryRun) return { ...report, outcome: 'planned' };
  for (const { path, text } of files) await writeAtomic(path, text, { mode: 0o644 });
  await wantThem(served.map(({ user }) => `redis-agent-hands-${user}.socket`));
  await systemctl(['daemon-reload'], signal);
  await systemctl(['enable', '--now', ...anchors], signal);
  return { ...report, outcome: 'enabled' };
}

async function lookAt(app: App, instance: InstanceSettings, signal: AbortSignal): Promise<Served> {
  const connection = await app.connect(instance, signal);
  try {
    const info = await readInfo(connection);
    const host = localHost({ instance, hands: nobody, clock: app.clock, signal });
    const { user, service } = await host.look(info);
    if (service?.kind !== 'unit') throw new AgentError('refused', 'its server is started by no unit');
    if (user === undefined || user.uid === 0) throw new AgentError('refused', 'its server runs as root');
    const named = instance.data_dir ?? (await readConfig(connection, 'dir'));
    if (named === undefined) throw new AgentError('refused', 'nobody says where its data is');
    const dir = realpathSync(named);
    if (!isUnitPath(dir))
      throw new AgentError('refused', 'its data directory has a name that no unit can hold');
    if (/^\/(?:home|root|run\/user)(?:\/|$)/.test(dir))
      throw new AgentError('refused', `its data is in ${dir}, which the units do not see`);
    const conf = confFolder(service.arguments?.file, user.uid);
    return { user: userName(user.uid), group: groupName(user.gid), dir, conf };
  } finally {
    connection.close();
  }
}

/** Undefined: root's, where the unit that stops and starts servers writes; or one that no unit can name. */
function confFolder(file: string | undefined, uid: number): string | undefined {
  if (file?.startsWith('/') !== true) return undefined;
  const folder = dirname(realpathSync(file));
  return statSync(folder).uid === uid && isUnitPath(folder) ? folder : undefined;
}

function isUnitPath(path: string): boolean {
  return !/[\s"'\\%]/.test(path);
}

function filesFor(user: string, served: readonly Served[]): { path: string; text: string }[] {
  const values: Record<string, string> = {
    USER: user,
    GROUP: served[0]?.group ?? user,
    DIRS: [
      ...new Set(served.flatMap(({ dir, conf }) => [`-${dir}`, ...(conf === undefined ? [] : [`-${conf}`])])),
    ].join(' '),
  };
  const fill = (name: string): string =>
    readFileSync(join(ownFolder('conf/units'), name), 'utf8').replaceAll(
      /@([A-Z]+)@/g,
      (whole, key: string) => values[key] ?? whole,
    );
  return [
    { path: join(place, `redis-agent-hands-${user}.socket`), text: fill('hands.socket') },
    { path: join(place, `redis-agent-hands-${user}@.service`), text: fill('hands@.service') },
  ];
}

/** As `systemctl enable` would, and without its messages. */
async function wantThem(units: readonly string[]): Promise<void> {
  for (const anchor of anchors) {
    const wants = join(place, `${anchor}.wants`);
    await mkdir(wants, { recursive: true, mode: 0o755 });
    for (const unit of new Set(units)) {
      try {
        await symlink(join(place, unit), join(wants, unit));
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    }
  }
}

async function systemctl(args: string[], signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await runCommand(['systemctl', '--no-ask-password', ...args], signal).catch(
    (error: unknown) => ({ exitCode: null, stderr: messageOf(error) }),
  );
  if (exitCode !== 0)
    throw new AgentError('failed', `systemctl ${args.join(' ')}: ${stderr.trim()}`, {
      hint: `see: systemctl status ${anchors.join(' ')}`,
    });
}

/** Nothing is done in a folder here. */
const nobody = {
  openFolder: () => Promise.reject(new AgentError('failed', 'nothing works in a folder here')),
  close: () => Promise.resolve(),
};
