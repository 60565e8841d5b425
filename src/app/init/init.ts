import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { parseSettings } from '../../config/load.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { Secret } from '../../domain/secret.ts';
import { connectRedis } from '../../redis/connection/connect.ts';
import { readConfig, readInfo, readServerTime } from '../../redis/server.ts';
import {
  createUser,
  existingUser,
  keepUser,
  passwordHash,
  setUserCommand,
  userLine,
  userRules,
  whereToKeep,
} from './agent-user.ts';
import { isThere, placeFile, placeFolder, Undo } from './files.ts';
import { renderFirstConfig } from './first-config.ts';
import type { Inspected } from './inspect.ts';
import { inspectAll, lookForServers } from './look.ts';
import { nameInstances } from './names.ts';
import type { InitOptions, InitReport, UserReport } from './report.ts';
import type { GuessedRole } from './role.ts';

/** One server, its name and the agent's user on it. */
interface Planned {
  server: Inspected;
  name: string;
  secretFile: string;
  password: Secret;
  rules: string[];
  role: GuessedRole | undefined;
}

/**
 * The first installation: finds servers, gives the agent a user of its own on each, and writes the configuration last.
 * All that can be refused is refused before anything is changed; what fails later is taken back.
 * Rejects with an AgentError: `failed` (no server, a file cannot be written), `redis`, `refused` (something is there
 * already), `usage`.
 */
export async function initialise(options: InitOptions): Promise<InitReport> {
  await refuseExisting(options, [options.config]);
  const { servers, passedOver } = await lookForServers(options);
  const inspected = await inspectAll(servers, options);
  try {
    const plan = planInstances(inspected, options);
    refuseExistingUsers(plan, options);
    await refuseExisting(
      options,
      secretsOf(plan, options).map(({ file }) => file),
    );
    await chooseRoles(plan, options);
    const text = await configText(plan, options);
    const done = options.dryRun ? rehearse(plan, options) : await carryOut(plan, text, options);
    return { dry_run: options.dryRun, config: options.config, text, passed_over: passedOver, ...done };
  } finally {
    for (const { connection } of inspected) connection?.close();
  }
}

type Done = Pick<InitReport, 'instances' | 'written' | 'kept'>;

async function refuseExisting({ force }: InitOptions, paths: string[]): Promise<void> {
  for (const path of paths)
    if (!force && (await isThere(path)))
      throw new AgentError('refused', `${path} is there already`, {
        reason: 'exists',
        hint: 'init makes a first configuration only; --force replaces it and keeps the old one as .bak',
      });
}

/** Another agent may live by that user: a new password would lock it out. */
function refuseExistingUsers(plan: Planned[], { force, user }: InitOptions): void {
  for (const { server } of plan)
    if (!force && existingUser(server.users ?? [], user) !== undefined)
      throw new AgentError('refused', `${server.url} has an ACL user ${user} already`, {
        reason: 'exists',
        hint: '--force gives it a new password and just the rights the agent needs; --user NAME makes another',
      });
}

function planInstances(servers: Inspected[], { config, dryRun }: InitOptions): Planned[] {
  const names = nameInstances(servers);
  return servers.map((server, index) => {
    const name = names[index] ?? '';
    const password = new Secret(randomBytes(32).toString('hex'));
    const secretFile = join(dirname(config), 'secrets', name);
    // The password of a dry run ends with it, so nobody should copy its hash.
    const hash = dryRun ? 'SHA256-OF-THE-PASSWORD' : passwordHash(password);
    return { server, name, secretFile, password, rules: userRules(hash, server.version), role: server.role };
  });
}

async function chooseRoles(plan: Planned[], { role, askRole }: InitOptions): Promise<void> {
  for (const planned of plan)
    if (role !== undefined) planned.role = { role, why: 'as --role says' };
    else if (askRole !== undefined) planned.role = await askRole(planned.name, planned.role);
}

/** The files of secrets, and what is in them. */
function secretsOf(plan: Planned[], { alerts }: InitOptions): { file: string; text: string }[] {
  const passwords = plan.map(({ secretFile, password }) => ({ file: secretFile, text: password.reveal() }));
  return alerts?.secret === undefined ? passwords : [...passwords, alerts.secret];
}

/** Validated before anything is done: what init writes, the agent reads. */
async function configText(plan: Planned[], options: InitOptions): Promise<string> {
  const { config, user, tls, repository, state, alerts } = options;
  const text = renderFirstConfig({
    instances: plan.map(({ server: { url, found }, name, secretFile, role }) => ({
      name,
      url,
      username: user,
      passwordFile: secretFile,
      tls: url.startsWith('rediss:') ? tls : undefined,
      service: found?.unit,
      role,
    })),
    repository,
    state,
    alerts: alerts?.yaml,
    secrets: join(dirname(config), 'secrets'),
  });
  await parseSettings(text, config);
  return text;
}

/** What carryOut would do. */
function rehearse(plan: Planned[], options: InitOptions): Done {
  const written = [...secretsOf(plan, options).map(({ file }) => file), options.config];
  return {
    instances: plan.map((planned) => report(planned, plannedUser(planned, options))),
    written,
    kept: [],
  };
}

async function carryOut(plan: Planned[], text: string, options: InitOptions): Promise<Done> {
  const undo = new Undo();
  try {
    const kept = await writeSecrets(plan, options, undo);
    const created = new Set<Planned>();
    for (const planned of plan) {
      options.signal.throwIfAborted();
      if (await createAndProve(planned, options, undo)) created.add(planned);
    }
    options.signal.throwIfAborted();
    const { config, owner } = options;
    const configOwner = owner && { uid: process.getuid?.() ?? 0, gid: owner.gid };
    kept.push(await placeFile(config, text, { mode: 0o640, owner: configOwner, undo }));
    const instances = [];
    for (const planned of plan) {
      const user = created.has(planned) ? await keptUser(planned, options) : plannedUser(planned, options);
      instances.push(report(planned, user));
    }
    return {
      instances,
      written: [...secretsOf(plan, options).map(({ file }) => file), config],
      kept: kept.filter((path) => path !== undefined),
    };
  } catch (error) {
    throw withRest(error, await undo.run());
  }
}

async function writeSecrets(
  plan: Planned[],
  options: InitOptions,
  undo: Undo,
): Promise<(string | undefined)[]> {
  const { config, state, repository, owner } = options;
  await placeFolder(dirname(config), { mode: 0o755, undo });
  await placeFolder(join(dirname(config), 'secrets'), { mode: 0o700, owner, undo });
  await placeFolder(state, { mode: 0o750, owner, undo });
  await placeFolder(repository, { mode: 0o750, owner, undo });
  const kept: (string | undefined)[] = [];
  for (const { file, text } of secretsOf(plan, options))
    kept.push(await placeFile(file, `${text}\n`, { mode: 0o600, owner, undo }));
  return kept;
}

/** False where somebody else has to create it. */
async function createAndProve(
  { server, name, password, rules }: Planned,
  { user, tls }: InitOptions,
  undo: Undo,
): Promise<boolean> {
  const { connection, users, url } = server;
  if (connection === undefined || users === undefined) return false;
  if (!(await createUser(server, connection, { name: user, rules, undo }))) return false;
  const target = { name, url, username: user, password, ...(url.startsWith('rediss:') ? { tls } : {}) };
  const own = await connectRedis(target);
  try {
    await Promise.all([readInfo(own), readServerTime(own), readConfig(own, 'dir')]);
  } finally {
    own.close();
  }
  return true;
}

async function keptUser({ server, rules }: Planned, { user }: InitOptions): Promise<UserReport> {
  const { connection, users = [] } = server;
  const line = userLine(user, rules);
  return {
    name: user,
    outcome: existingUser(users, user) === undefined ? 'created' : 'replaced',
    command: setUserCommand(user, rules),
    persistence: connection ? await keepUser(server, connection, line) : whereToKeep(server, line),
  };
}

/** A user that is not there yet. */
function plannedUser({ server, rules }: Planned, options: InitOptions): UserReport {
  const mayCreate = server.users !== undefined;
  const why = options.createUser
    ? (server.denied ?? 'this user may not run ACL SETUSER')
    : 'as --no-acl says';
  return {
    name: options.user,
    ...(options.dryRun && mayCreate ? { outcome: 'planned' } : { outcome: 'by-hand', why }),
    command: setUserCommand(options.user, rules),
    persistence: whereToKeep(server, userLine(options.user, rules)),
  };
}

function report({ server, name, role }: Planned, user: UserReport): InitReport['instances'][number] {
  return {
    name,
    url: server.url,
    engine: server.engine ?? null,
    version: server.version ?? null,
    pid: server.found?.pid ?? null,
    service: server.found?.unit ?? null,
    role: role ?? null,
    open: server.open,
    user,
  };
}

/** The failure, and that nothing is left of what had been done, or what is. */
function withRest(error: unknown, left: string[]): unknown {
  if (!(error instanceof AgentError)) return error;
  const rest = left.length === 0 ? 'nothing was left behind' : `still there: ${left.join(', ')}`;
  return error.retold(`${messageOf(error)} (${rest})`);
}
