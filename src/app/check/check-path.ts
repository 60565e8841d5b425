import { counted } from '../../lib/text/counted.ts';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decryptAge } from '../../backup/artefact/age-decrypt.ts';
import { encryptAge } from '../../backup/artefact/age-encrypt.ts';
import { openDump, ownAccess, rememberDump } from '../../backup/snapshot/dump-file.ts';
import { describeProblem, gatherPreflight } from '../../backup/snapshot/preflight.ts';
import { estimateDump, judgePreflight, type PreflightFacts } from '../../backup/snapshot/judge-preflight.ts';
import { judgeWriter } from '../../backup/judge-writer.ts';
import type { Store } from '../../backup/store/store.ts';
import { readWriterIdentity } from '../../backup/writer-identity.ts';
import { inTheClear } from '../../domain/backup.ts';
import { AgentError, hasReason } from '../../domain/errors.ts';
import type { InstanceSettings } from '../../domain/settings.ts';
import { requireRoom } from '../../jobs/backup/backup-steps.ts';
import { formatBytes } from '../../lib/text/bytes.ts';
import { tryWatchRights } from '../../monitor/rights.ts';
import type { RedisConnection } from '../../redis/connection/connect.ts';
import { othersIn } from '../../redis/process/data-process.ts';
import { requireOwnFolder } from '../../redis/process/own-folder.ts';
import { toolPlaces } from '../../redis/service/find-service.ts';
import { engineOf, identityOf, readDumpPath, readInfo, readServerTime } from '../../redis/server.ts';
import { findCheckTool } from '../../redis/process/tools.ts';
import { takeLock } from '../../state/locks/lock.ts';
import type { App } from '../build-app.ts';
import { examineStore, type Outcome } from './examine-store.ts';
import { requireKept } from '../state-room.ts';
import { judgeDrill } from '../status/last-drill.ts';
import { agentVersion } from '../version.ts';

/** One thing that a backup needs. */
export interface CheckLine {
  instance: string;
  what: string;
  verdict: 'ok' | 'warning' | 'failed';
  detail: string;
  /** What to do; null when it is ok. */
  next: string | null;
}

/** For clearing up after an error. Milliseconds. */
const removeTimeout = 10_000;

/** Tries everything that a backup of the instance needs, end to end, without taking one. Never throws AgentErrors. */
export async function checkPath(
  app: App,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const lines: CheckLine[] = [];
  const attempt = async (what: string, act: () => Promise<Outcome>): Promise<boolean> => {
    signal.throwIfAborted();
    const line = await attemptOne(act);
    lines.push({ instance: instance.name, what, ...line });
    return line.verdict !== 'failed';
  };

  let opened: RedisConnection | undefined;
  let facts: PreflightFacts | undefined;
  await attempt('server', async () => {
    opened = await app.connect(instance, signal);
    const { engine, version } = engineOf(await readInfo(opened));
    return `${engine} ${version} at ${instance.url} as ${instance.username ?? 'default'}`;
  });
  if (opened !== undefined) {
    const connection = opened;
    try {
      await attempt('right to save', () => mayBgsave(connection));
      await attempt('dump file', () => seesDump(connection, instance.url));
      await attempt('room to save', async () => judgeRoom((facts = await gatherPreflight(connection))));
      await attempt('check tool', () => hasTool(connection, instance, signal));
      await attempt('rights to watch', () => mayWatch(connection, instance));
    } finally {
      connection.close();
    }
  }
  if (await attempt('repository', () => probeRepository(app, instance, signal))) {
    await attempt('store', () => examineStore(app, instance, signal));
    await attempt('prefix', () => isOurs(app, instance, signal));
    const dump = facts === undefined ? undefined : estimateDump(facts);
    if (dump !== undefined) await attempt('room to store', () => hasRoom(app, instance, dump, signal));
    await attempt('drill', () => judgeDrill(app, instance, signal));
  }
  await attempt('encryption', () => provesEncryption(app, instance, signal));
  await attempt('state', async () => {
    requireKept(app);
    takeLock(app.settings.state.path, { instance: instance.name, kind: 'check', clock: app.clock }).release();
    return `${app.settings.state.path} can be written`;
  });
  return lines;
}

async function attemptOne(
  act: () => Promise<Outcome>,
): Promise<Pick<CheckLine, 'verdict' | 'detail' | 'next'>> {
  try {
    const outcome = await act();
    if (typeof outcome === 'string') return { verdict: 'ok', detail: outcome, next: null };
    return { verdict: 'warning', detail: outcome.warning, next: outcome.next };
  } catch (error) {
    if (!(error instanceof AgentError) || error.code === 'interrupted') throw error;
    return { verdict: 'failed', detail: error.message, next: error.hint ?? null };
  }
}

/** A BGSAVE with an argument that it does not know is refused for that, or before, for want of the right. */
async function mayBgsave(connection: RedisConnection): Promise<Outcome> {
  try {
    await connection.call('BGSAVE', 'NOT-AN-OPTION');
  } catch (error) {
    if (hasReason(error, 'reply')) return 'BGSAVE is allowed';
    throw error;
  }
  return 'BGSAVE is allowed';
}

async function seesDump(connection: RedisConnection, url: string): Promise<Outcome> {
  const { name } = connection.target;
  const { dir, file } = await readDumpPath(connection);
  await requireOwnFolder(await readInfo(connection), connection.target, dir);
  const path = join(dir, file);
  await using _ = await rememberDump(ownAccess(name), path);
  if (!existsSync(path)) return `${dir} can be seen; there is no dump in it yet`;
  await (await openDump(name, path)).close();
  const shared = await othersIn(dir, url);
  if (shared.length > 0)
    return {
      warning: `${dir} is the data folder of another server too (pid ${shared.map(({ pid }) => pid).join(', ')}): where both save to ${file}, each takes the other’s dump for its own`,
      next: 'give each server a dir of its own, or another dbfilename',
    };
  return `${path} can be read`;
}

function judgeRoom(facts: PreflightFacts): Outcome {
  const { refusals, warnings } = judgePreflight(facts);
  const [refusal] = refusals;
  if (refusal !== undefined)
    throw new AgentError('refused', refusals.map(describeProblem).join('; '), { hint: refusal.next });
  const [warning] = warnings;
  if (warning !== undefined) return { warning: warnings.map(describeProblem).join('; '), next: warning.next };
  return 'disk and memory suffice';
}

/** Each is tried: what ACL rules come to is decided by the server alone. */
async function mayWatch(
  connection: RedisConnection,
  { name, username = 'default' }: InstanceSettings,
): Promise<Outcome> {
  const { version } = engineOf(await readInfo(connection));
  const { missing, unknown } = await tryWatchRights(connection, version);
  const hidden = unknown.map((right) => right.slice(1).replace('|', ' ').toUpperCase());
  if (missing.length > 0)
    return {
      warning: `${username} may not ${missing.map(nameOfRight).join(', ')}: what they tell is unknown`,
      next: `redis-agent init --rights --instance ${name} gives them, or an administrator does: ACL SETUSER ${username} ${missing.join(' ')}`,
    };
  if (hidden.length === 0) return 'all that watching needs';
  return {
    warning: `this server does not know ${hidden.join(', ')}: what they tell is unknown`,
    next: 'where a command is renamed or the provider does not offer it, this stays so',
  };
}

function nameOfRight(right: string): string {
  return right.startsWith('+') ? right.slice(1).replace('|', ' ').toUpperCase() : 'read keys (queues)';
}

async function hasTool(
  connection: RedisConnection,
  instance: InstanceSettings,
  signal: AbortSignal,
): Promise<Outcome> {
  const places = await toolPlaces(instance, signal);
  const found = await findCheckTool('rdb', await readInfo(connection), places);
  if (found.tool !== undefined) return found.tool.path;
  return {
    warning: found.why,
    next: 'install the server’s own tools, or backups are proven by decoding only',
  };
}

/** Writes, finds, reads and removes a small object. */
async function probeRepository(app: App, instance: InstanceSettings, signal: AbortSignal): Promise<Outcome> {
  const { store } = await app.repository(instance);
  const key = `${instance.name}/check-${randomBytes(4).toString('hex')}`;
  const text = Buffer.from('redis-agent check\n');
  // First of all: a web page in S3's place has every object that it is asked for, and no listing.
  for await (const _ of store.list(instance.name, { signal })) break;
  await store.put(key, one(text), { signal });
  try {
    await requireSame(store, key, text, signal);
    await store.remove(key, { signal });
  } catch (error) {
    // Whatever is wrong, nothing strange stays behind, if that can be helped.
    await store.remove(key, { signal: AbortSignal.timeout(removeTimeout) }).catch(() => {});
    throw error;
  }
  return `${store.description}: write, list, read, remove`;
}

async function requireSame(store: Store, key: string, text: Buffer, signal: AbortSignal): Promise<void> {
  let seen = false;
  for await (const object of store.list(dirname(key), { signal })) seen ||= object.key === key;
  const { chunks } = await store.get(key, { signal });
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(Buffer.from(chunk));
  if (seen && Buffer.concat(read).equals(text)) return;
  throw new AgentError('repository', `${store.description} does not give back what it was given`, {
    hint: 'is it a store with immediate consistency?',
  });
}

async function isOurs(app: App, instance: InstanceSettings, signal: AbortSignal): Promise<Outcome> {
  const repository = await app.repository(instance);
  const { backups, foreign, foreignMore } = await repository.list(signal);
  const newest = backups.findLast((entry) => entry.state === 'complete')?.manifest;
  const connection = await app.connect(instance, signal);
  try {
    const server = identityOf(await readInfo(connection), await readServerTime(connection));
    const reason = judgeWriter(newest, {
      writer: readWriterIdentity(agentVersion),
      server,
      now: app.clock.now(),
    });
    if (reason !== undefined)
      throw new AgentError('refused', `another agent uses this prefix: ${reason}`, {
        hint: 'give this instance another name, or run: redis-agent backup --take-over',
      });
  } finally {
    connection.close();
  }
  if (foreign.length > 0)
    return {
      warning: `${foreign.length + foreignMore} foreign objects lie below ${instance.name}/ (the first: ${foreign[0]})`,
      next: 'give the agent a prefix of its own',
    };
  return `${counted(backups.length, 'backup')}, all ours`;
}

/** 0 where the repository cannot be read, which another line says. */
async function countClear(app: App, instance: InstanceSettings, signal: AbortSignal): Promise<number> {
  try {
    const { backups } = await (await app.repository(instance)).list(signal);
    return backups.filter((entry) => entry.state === 'complete' && inTheClear(entry.manifest)).length;
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'repository') throw error;
    return 0;
  }
}

/** Encrypts a few bytes, and decrypts them as a proof would. */
async function provesEncryption(app: App, instance: InstanceSettings, signal: AbortSignal): Promise<Outcome> {
  const { age_recipients: recipients, age_identity: identity } = app.settings.repository.encryption;
  if (recipients.length === 0) return 'off: backups are stored in the clear';
  if (identity === undefined)
    return {
      warning: 'this host cannot decrypt its own backups, so they are proven by their stored bytes only',
      next: 'set repository.encryption.age_identity, or prove them on a host that has the key',
    };
  const sealed = encryptAge(one(Buffer.from('redis-agent check')), recipients);
  for await (const _ of decryptAge(sealed, { identities: app.identities(), recipients }));
  const clear = await countClear(app, instance, signal);
  if (clear > 0)
    return {
      warning: `${clear} ${clear === 1 ? 'backup is' : 'backups are'} not encrypted although encryption is configured; whoever can write to the repository can have made ${clear === 1 ? 'it' : 'them'}`,
      next: 'see redis-agent backups list; those of before it was configured go with the retention, and are restored with --accept-unencrypted only',
    };
  return `age, for ${recipients.length} recipient${recipients.length === 1 ? '' : 's'}, and this host can decrypt`;
}

/** `dump`: bytes that the next one may have. */
async function hasRoom(
  app: App,
  instance: InstanceSettings,
  dump: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const repository = await app.repository(instance);
  const free = await repository.store.free();
  if (free === undefined) return 'the store knows no limit';
  const listing = await repository.list(signal);
  await requireRoom({ repository, settings: app.settings }, listing, { kind: 'rdb', bytes: dump });
  return `${formatBytes(free)} free`;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
