import type { AofContent, Artefact, Manifest, Verification } from '../../../domain/backup.ts';
import type { DrillRecord } from '../../../domain/drill.ts';
import type { ServerConfig } from '../../../domain/server-config.ts';
import { AgentError } from '../../../domain/errors.ts';
import { countKeys } from '../../../jobs/backup/backup.ts';
import { formatSlots } from '../../../formats/cluster/slots.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { defineCommand } from '../../define-command.ts';
import { renderTable, type Cell } from '../../render/table.ts';
import { readServerConfig } from '../../../app/dumps/server-config.ts';
import { renderKeptConfig } from '../../render/kept-config.ts';
import { formatAge, formatTime } from '../../render/time.ts';
import { counted } from '../../../lib/text/counted.ts';

interface BackupDetails {
  manifest: Manifest;
  /** Oldest first, the one in the manifest included. */
  verifications: Verification[];
  /** Rehearsals of its restore, oldest first. */
  drills: Pick<DrillRecord, 'at' | 'ok' | 'summary' | 'recovery_seconds'>[];
  /** How to decode it without the agent. */
  decode: string;
  /** With --server-config: how the server was set up; null where that is not kept. */
  config?: ServerConfig | null;
}

export const backupsShowCommand = defineCommand<{ id: string; serverConfig: boolean }, BackupDetails>({
  usage: 'backups show <id>',
  summary: 'One backup: what it holds, where it came from, how it was proven',
  options: (yargs) =>
    yargs.positional('id', { type: 'string', describe: 'A backup id, or latest' }).option('server-config', {
      type: 'boolean',
      default: false,
      describe: 'How the server was set up: directives, redis.conf, ACL users',
    }),
  async run(context, { id, serverConfig: wanted }) {
    const app = await context.app();
    const repository = await app.repository(app.instance(context.globals.instance));
    const manifest = await repository.find(id, context.signal);
    const { backups } = await repository.list(context.signal);
    const entry = backups.find((candidate) => candidate.id === manifest.id);
    const marks = entry?.state === 'complete' ? entry.verifications : [];
    const later = await Promise.all(
      marks.map((mark) =>
        repository.readVerification(manifest.id, mark.name, context.signal).catch((error: unknown) => ({
          ...unreadable(mark, error),
          level: mark.level,
          duration_seconds: 0,
        })),
      ),
    );
    const drills = await Promise.all(
      (entry?.state === 'complete' ? entry.drills : []).map((mark) =>
        repository.readDrill(manifest.id, mark.name, context.signal).catch((error: unknown) => ({
          ...unreadable(mark, error),
          recovery_seconds: null,
        })),
      ),
    );
    const decode = howToDecode(manifest);
    const details = { manifest, verifications: [manifest.verified, ...later], drills, decode };
    if (!wanted) return details;
    return { ...details, config: await readServerConfig(app, repository, manifest, context.signal) };
  },
  render({ manifest, verifications, drills, decode, config }, { style, now }) {
    if (config !== undefined) return renderKeptConfig(config);
    const { server, writer, artefacts, keyspace } = manifest;
    const [artefact] = artefacts;
    const taken = Date.parse(manifest.snapshot_at);
    const databases = Object.entries(keyspace.databases)
      .map(([database, { keys, expires }]) => `db${database} ${keys} (${expires} expiring)`)
      .join(', ');
    const rows: Cell[][] = [
      ['backup', { text: manifest.id, paint: style.strong }],
      ['taken', `${formatTime(taken, undefined)} (${formatAge(taken, now)})`],
      ['took', formatDuration(manifest.duration_seconds * 1000)],
      ['server', `${server.engine} ${server.version}, ${server.role}, run_id ${server.run_id}`],
      ['written by', `${writer.host}, redis-agent ${writer.agent_version}`],
      ['keys', `${countKeys(manifest)}${keyspace.exact ? '' : ' (about)'}: ${databases || 'none'}`],
      ...(manifest.cluster === undefined
        ? []
        : [['slots', `${formatSlots(manifest.cluster.slots)}, of node ${manifest.cluster.node}`]]),
      manifest.aof === undefined
        ? ['RDB', `version ${manifest.rdb_version}, checksum ${manifest.rdb_checksum ? 'on' : 'off'}`]
        : ['AOF', describeAof(manifest.aof)],
      ...(manifest.identity === undefined
        ? []
        : [['identity', 'unproven: that these files are this server’s is its own word']]),
      ['plain', `${formatBytes(artefact?.plain.bytes ?? 0)}, SHA-256 ${artefact?.plain.sha256 ?? ''}`],
      ['stored', `${formatBytes(artefact?.stored.bytes ?? 0)}, SHA-256 ${artefact?.stored.sha256 ?? ''}`],
      ['compressed', describeCompression(artefact?.compression)],
      ['encrypted', artefact?.encryption?.recipients.map((key) => `for ${key}`).join(', ') ?? 'no'],
      ...verifications.map(({ at, level, ok, summary }): Cell[] => [
        ok ? 'proof' : 'DAMAGED',
        {
          text: `${formatTime(Date.parse(at), undefined)} ${level}: ${summary}`,
          paint: ok ? style.good : style.bad,
        },
      ]),
      ...drills.map(({ at, ok, summary, recovery_seconds: recovery }): Cell[] => {
        const time = recovery === null ? '' : ` in ${formatDuration(recovery * 1000)}`;
        const text = `${formatTime(Date.parse(at), undefined)}${time}: ${summary}`;
        return [ok ? 'drill' : 'DRILL FAILED', { text, paint: ok ? style.good : style.bad }];
      }),
      [
        'setup',
        manifest.config === undefined
          ? 'not kept'
          : `kept in ${manifest.config.name}: redis-agent backups show ${manifest.id} --server-config`,
      ],
      ['by hand', decode],
    ];
    return renderTable([{ title: '' }, { title: '' }], rows);
  },
});

/** By public tools, in the folder of the artefact. */
function howToDecode({ kind, artefacts }: Manifest): string {
  const [artefact] = artefacts;
  if (artefact === undefined) return '';
  const { name, compression, encryption } = artefact;
  const tar = kind === 'aof';
  if (compression.algorithm === 'none') {
    if (encryption === null) return tar ? `tar -xf ${name}` : `cp ${name} DIRECTORY`;
    return `age -d -i IDENTITY ${name} ${tar ? '| tar -x' : '> dump.rdb'}`;
  }
  const rest = tar ? 'zstd -dc | tar -x' : 'zstd -d -o dump.rdb';
  if (encryption !== null) return `age -d -i IDENTITY ${name} | ${rest}`;
  return tar ? `zstd -dc ${name} | tar -x` : `zstd -d ${name} -o dump.rdb`;
}

function describeCompression(compression: Artefact['compression'] | undefined): string {
  return compression?.algorithm === 'zstd' ? `zstd, level ${compression.level}` : 'no';
}

function describeAof({ layout, files }: AofContent): string {
  const parts = files.map(
    ({ name, bytes, commands }) => `${name} ${formatBytes(bytes)}, ${counted(commands, 'command')}`,
  );
  return `${layout}: ${parts.join('; ')}`;
}

/** What its name tells, where the proof itself cannot be read: no reason to hide the rest. */
function unreadable(
  { at, ok }: { at: number; ok: boolean },
  error: unknown,
): { at: string; ok: boolean; summary: string } {
  if (!(error instanceof AgentError) || !['damaged', 'refused'].includes(error.code)) throw error;
  return { at: new Date(at).toISOString(), ok, summary: error.message };
}
