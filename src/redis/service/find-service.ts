import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import { AgentError } from '../../domain/errors.ts';
import type { InstanceSettings, ServiceSettings, ToolSettings } from '../../domain/settings/instances.ts';
import { parseServerArguments, type ServerArguments } from '../../formats/conf/server-arguments.ts';
import type { Info } from '../../formats/info/parse-info.ts';
import type { UserId } from '../../lib/process/act-as.ts';
import { findGroup, findUser } from '../../lib/process/find-user.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import { findProgram } from '../process/find-program.ts';
import { findServers } from '../process/find-servers.ts';
import { plainService, type PlainCommands } from './plain-service.ts';
import { readConf } from '../conf/read-conf.ts';
import { engineOf } from '../server.ts';
import type { ServiceControl } from './service.ts';
import type { ToolPlaces } from '../process/tools.ts';
import { execStartOf, showUnit, systemdService, type UnitProperties } from './systemd-service.ts';

/** How a server is managed, and what its start says of it. */
export interface FoundService {
  description: string;
  /** The server's program in the start command, and its arguments; undefined where the command does not show them. */
  program: string | undefined;
  arguments: ServerArguments | undefined;
  /** As whom its server runs, where the unit or the configuration says so. */
  user?: UserId | undefined;
  kind: 'unit' | 'commands';
  /** Nobody manages it, and no command is configured that stops it: it has to be asked itself. */
  endsItself: boolean;
  /** What it takes is for servers that no manager has. */
  control(plain: Pick<PlainCommands, 'end' | 'output'> & { startIn: () => string }): ServiceControl;
}

/** A server that answers, with its process on this host. */
interface Running {
  info: Info;
  pid: number | undefined;
  user: UserId | undefined;
}

interface FindOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Configurations are read with our own rights, and not with the server's: by a root that can become nobody else. */
  asOurselves?: boolean;
}

const usual = ['redis-server.service', 'redis.service', 'valkey-server.service', 'valkey.service'];
const instantiated = ['redis-server@*', 'redis@*', 'valkey-server@*', 'valkey@*'];

/**
 * Finds how an instance is stopped and started: as configured; else the unit that its process runs in; else the one unit
 * of this host whose server has the instance's address; else, of a server that runs on this host, the program and
 * configuration file that it tells. Undefined when nothing says so. Rejects when what is configured is not there.
 */
export async function findService(
  { service, tools, url }: InstanceSettings,
  running: Running | undefined,
  { clock, signal, asOurselves = false }: FindOptions,
): Promise<FoundService | undefined> {
  const { unit: named, user: told, start, stop } = partsOf(service);
  const user = told === undefined ? undefined : requireUser(told);
  if (named !== undefined) {
    const found = await fromUnit(named, clock, signal);
    if (found !== undefined) return { user, ...found };
    throw new AgentError('usage', `there is no unit ${named} on this host`, {
      reason: 'service',
      hint: 'correct service: of this instance, or leave it out',
    });
  }
  if (start !== undefined) return { ...fromCommands(start, stop, user ?? running?.user), user };
  const hasSystemd = existsSync('/run/systemd/system');
  if (running?.pid !== undefined) {
    const { servers } = await findServers();
    const unit = servers.find(({ pid }) => pid === running.pid)?.unit;
    const found = unit === undefined || !hasSystemd ? undefined : await fromUnit(unit, clock, signal);
    return found === undefined ? await fromProcess(running, tools) : { user, ...found };
  }
  // One that answers from elsewhere is not ours to stop here.
  const found =
    hasSystemd && running === undefined ? await byAddress(url, { clock, signal, asOurselves }) : undefined;
  return found && { user, ...found };
}

/** The user that the configuration says a server runs as. */
export function configuredUser({ service }: Pick<InstanceSettings, 'service'>): UserId | undefined {
  const { user } = partsOf(service);
  return user === undefined ? undefined : requireUser(user);
}

function requireUser(name: string): UserId {
  const found = findUser(name);
  if (found !== undefined) return found;
  throw new AgentError('usage', `there is no user ${name} on this host`, {
    reason: 'user',
    hint: 'correct user: in service: of this instance',
  });
}

/** `User=` and `Group=` of a unit; undefined where it names none, as where the server gives root up by itself. */
function userOf(shown: UnitProperties): UserId | undefined {
  const [name, group] = [shown.get('User') ?? '', shown.get('Group') ?? ''];
  const user = name === '' ? undefined : findUser(name);
  const gid = group === '' ? undefined : findGroup(group);
  return user && { ...user, ...(gid === undefined ? {} : { gid }) };
}

/** Where the tools of an instance's server may be, by its configuration. */
export async function toolPlaces(
  { service, tools }: Pick<InstanceSettings, 'service' | 'tools'>,
  signal: AbortSignal,
): Promise<ToolPlaces> {
  const { unit, start } = partsOf(service);
  if (start !== undefined) return { tools, program: serverIn(start).program };
  if (unit === undefined || !existsSync('/run/systemd/system')) return { tools };
  const shown = await showUnit(unit, signal).catch(() => undefined);
  return { tools, program: shown && serverIn(execStartOf(shown)).program };
}

function partsOf(service: InstanceSettings['service']): Exclude<ServiceSettings, string> {
  return typeof service === 'string' ? { unit: service } : (service ?? {});
}

async function fromUnit(unit: string, clock: Clock, signal: AbortSignal): Promise<FoundService | undefined> {
  const shown = await showUnit(unit, signal).catch(() => undefined);
  if (shown?.get('LoadState') !== 'loaded') return undefined;
  const id = shown.get('Id') ?? unit;
  return {
    description: `the unit ${id}`,
    ...serverIn(execStartOf(shown)),
    ...withUser(userOf(shown)),
    kind: 'unit',
    endsItself: false,
    control: () => systemdService(id, clock),
  };
}

function withUser(user: UserId | undefined): { user?: UserId } {
  return user === undefined ? {} : { user };
}

function fromCommands(
  start: readonly string[],
  stop: readonly string[] | undefined,
  user?: UserId,
): FoundService {
  return {
    description: `the command ${start.join(' ')}`,
    ...serverIn(start),
    kind: 'commands',
    endsItself: stop === undefined,
    control: (plain) =>
      plainService({ ...plain, start, stop, user: actingAs(user), startIn: plain.startIn() }),
  };
}

/**
 * Nothing tells with which options it was started, so only one that has a configuration file can be started again; and
 * not when that includes another one from the folder where it was started, which nothing tells either.
 */
async function fromProcess(
  { info, pid, user }: Running,
  tools: ToolSettings | undefined,
): Promise<FoundService | undefined> {
  const file = info.get('config_file');
  if (!file) return undefined;
  const program = await findProgram(engineOf(info).engine, pid, { tools });
  if (program === undefined) return undefined;
  const whole = await readConf(file, [], user).catch(() => undefined);
  if (whole === undefined) return undefined;
  return fromCommands([program, file], undefined, user);
}

/** Commands run as the server's user where we are root; else as ourselves, who can be nobody else. */
function actingAs(user: UserId | undefined): UserId | undefined {
  return process.geteuid?.() === 0 && user !== undefined && user.uid !== 0 ? user : undefined;
}

/** The words behind the server's own name, also where another program starts it (setpriv, numactl). */
function serverIn(words: readonly string[]): Pick<FoundService, 'program' | 'arguments'> {
  const at = words.findIndex((word) => /^(?:redis|valkey)-server$/.test(basename(word)));
  if (at === -1) return { program: undefined, arguments: undefined };
  return { program: words[at], arguments: parseServerArguments(words.slice(at + 1)) };
}

async function byAddress(
  url: string,
  { clock, signal, asOurselves = false }: FindOptions,
): Promise<FoundService | undefined> {
  const listed = await runCommand(
    ['systemctl', 'list-units', '--all', '--plain', '--no-legend', '--', ...instantiated],
    signal,
  ).catch(() => ({ stdout: '' }));
  const instances = listed.stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
  const found = new Map<string, FoundService>();
  for (const unit of [...usual, ...instances]) {
    const service = await fromUnit(unit, clock, signal);
    // Two names of one unit are one.
    if (
      service !== undefined &&
      (await listensOn(asOurselves ? { ...service, user: undefined } : service, url))
    )
      found.set(service.description, service);
  }
  const [only, ...others] = found.values();
  return others.length === 0 ? only : undefined;
}

async function listensOn({ arguments: words, user }: FoundService, url: string): Promise<boolean> {
  if (words === undefined || !isOurs(url)) return false;
  const conf = await readConf(words.file, words.directives, user).catch(() => undefined);
  if (conf === undefined) return false;
  const { protocol, port, pathname } = new URL(url);
  if (protocol === 'unix:') return conf.get('unixsocket') === decodeURIComponent(pathname);
  const own = protocol === 'rediss:' ? conf.get('tls-port') : (conf.get('port') ?? '6379');
  return own === (port === '' ? '6379' : port);
}

/** Another host's address tells nothing of this host's units. */
function isOurs(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol === 'unix:' || host === 'localhost' || /^(?:127\.|::1$)/.test(host)) return true;
  return ownAddresses().includes(host);
}

/** None where they cannot be seen, as in a unit that has no netlink: then service: has to be set. */
function ownAddresses(): string[] {
  try {
    return Object.values(networkInterfaces()).flatMap(
      (addresses) => addresses?.map(({ address }) => address) ?? [],
    );
  } catch {
    return [];
  }
}
