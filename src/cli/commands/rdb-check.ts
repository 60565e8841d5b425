import { RdbError, type RdbRecord } from '../../formats/rdb/rdb-handler.ts';
import { ValueDecoder } from '../../formats/rdb/value-decoder.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { defineCommand, type CommandContext } from '../define-command.ts';
import { describeFault, openDump, readDump, type DumpRead } from '../dump-source.ts';
import { exitCodes } from '../exit-code.ts';

interface RdbVerdict {
  file: string;
  sound: boolean;
  /** Was every value decoded, but those that modules wrote? */
  deep: boolean;
  engine: string | null;
  rdb_version: number | null;
  keys: number;
  expires: number;
  /** Keys whose values are a module's own. */
  modules: number;
  bytes: number | null;
  /** off: the server ran with `rdbchecksum no` · none: versions before 5 have none. null: not reached. */
  crc: 'ok' | 'off' | 'none' | 'unchecked' | null;
  /** 40 bytes of a replication stream follow: `redis-cli --rdb` to a pipe leaves them. */
  replication_marker: boolean;
  seconds: number;
  /** The first fault. `unknown`: it may be sound, but this version does not know it. */
  fault: {
    kind: 'damaged' | 'unknown';
    message: string;
    offset: number;
    record: number | null;
    key: string | null;
  } | null;
  summary: string;
}

export const rdbCheckCommand = defineCommand<{ file: string; deep: boolean }, RdbVerdict>({
  usage: 'rdb check <file>',
  summary: 'Is a dump sound? Every record, length and checksum, to its last byte',
  options: (yargs) =>
    yargs
      .positional('file', {
        type: 'string',
        describe: 'A dump.rdb, plain or zstd; a backup id, latest, or - for stdin',
      })
      .option('deep', { type: 'boolean', default: false, describe: 'Decode every value too' }),
  examples: [
    ['$0 rdb check /var/lib/redis/dump.rdb', ''],
    ['zstdcat dump.rdb.zst | $0 rdb check - --deep', ''],
  ],
  async run(context, { file, deep }) {
    const source = await openDump(context, file);
    const start = context.clock.monotonic();
    const count = { keys: 0, expires: 0, modules: 0 };
    const read = await attempt(context, source, deep, count);
    const seconds = (context.clock.monotonic() - start) / 1000;
    const fault = read instanceof RdbError ? read : undefined;
    const whole = read instanceof RdbError ? undefined : read;
    const common = { file: source.name, deep, ...count, seconds: Math.round(seconds * 1000) / 1000 };
    return {
      ...common,
      sound: whole !== undefined,
      engine: whole?.version.engine ?? null,
      rdb_version: whole?.version.version ?? null,
      bytes: whole?.bytes ?? null,
      crc: whole?.crc ?? null,
      replication_marker: whole?.marker ?? false,
      fault:
        fault === undefined
          ? null
          : {
              kind: fault.kind,
              message: fault.message,
              offset: fault.offset,
              record: fault.record?.index ?? null,
              key: fault.record?.key ?? null,
            },
      summary: fault === undefined ? 'sound' : describeFault(fault),
    };
  },
  render(verdict, { style }) {
    const { file, fault, summary } = verdict;
    if (fault?.kind === 'damaged') return `${style.bad('damaged')}: ${printable(file)}: ${summary}`;
    if (fault !== null)
      return `${style.bad('cannot be read')}: ${printable(file)}: ${summary}\n  damaged here, or of a newer server: a newer redis-agent may know it`;
    const bytes = verdict.bytes ?? 0;
    const rate = `${formatDuration(verdict.seconds * 1000)}, ${formatBytes(bytes / Math.max(verdict.seconds, 0.001))}/s`;
    const modules = verdict.modules === 0 ? '' : ` but those of modules (${verdict.modules})`;
    const lines = [
      `${style.good('sound')}: ${printable(file)}`,
      `  RDB version ${verdict.rdb_version} of ${verdict.engine}, ${formatBytes(bytes)}, ${checksum(verdict)}`,
      `  ${verdict.keys} keys, ${verdict.expires} of them with a time to live${verdict.deep ? `, every value${modules} decoded` : ''}`,
      `  read in ${rate}`,
    ];
    if (verdict.replication_marker)
      lines.push(
        `  ${style.warning('note')}: the 40 bytes behind its end are a replication marker, which redis-cli --rdb`,
        '  leaves in a pipe; servers ignore it. To cut it off: head -c -40',
      );
    return lines.join('\n');
  },
  exitCode: ({ fault }) =>
    fault === null ? exitCodes.ok : fault.kind === 'damaged' ? exitCodes.damaged : exitCodes.failed,
});

/** A fault is a result here. */
async function attempt(
  context: CommandContext,
  source: Awaited<ReturnType<typeof openDump>>,
  deep: boolean,
  count: { keys: number; expires: number; modules: number },
): Promise<DumpRead | RdbError> {
  const handler = {
    record({ expiresAt, type }: RdbRecord): void {
      count.keys++;
      if (expiresAt >= 0) count.expires++;
      if (type.data === 'module') count.modules++;
    },
  };
  try {
    return deep
      ? await readDump(context, source, { ...handler, wish: () => 'tokens' }, { sink: new ValueDecoder() })
      : await readDump(context, source, handler);
  } catch (error) {
    if (error instanceof RdbError) return error;
    throw error;
  }
}

function checksum({ crc }: RdbVerdict): string {
  if (crc === 'ok') return 'CRC64 right';
  return crc === 'off' ? 'without a checksum (rdbchecksum no)' : 'of a version without a checksum';
}
