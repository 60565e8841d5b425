import { counted } from '../../../lib/text/counted.ts';
import { RdbError, type RdbRecord } from '../../../formats/rdb/rdb-handler.ts';
import { withRules } from '../../../formats/rdb/rdb-check.ts';
import {
  describeDatabases,
  describePassed,
  passedOver,
  type PassedOver,
} from '../../../formats/rdb/whole/describe-passed.ts';
import { DumpRules } from '../../../formats/rdb/whole/dump-rules.ts';
import { TwinFinder } from '../../../formats/rdb/whole/twin-finder.ts';
import { salvageCommand } from '../../../backup/restore-keys/salvage.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { formatDuration } from '../../../lib/time/duration.ts';
import { printable } from '../../../lib/text/printable.ts';
import { randomWords } from '../../../lib/text/random-words.ts';
import { defineCommand, type CommandContext } from '../../define-command.ts';
import { describeFault, openDump, readDump, type DumpRead } from '../../../app/dumps/dump-source.ts';
import { exitCodes } from '../../exit-code.ts';
import { wrap } from '../../render/wrap.ts';

interface RdbVerdict {
  file: string;
  /** passed-over: servers run with it, though something in it is not right; which, `passed_over` says. */
  verdict: 'sound' | 'passed-over' | 'damaged' | 'unknown';
  /** It is neither damaged nor unknown. */
  sound: boolean;
  /** Was every value decoded, but those that modules wrote? */
  deep: boolean;
  engine: string | null;
  rdb_version: number | null;
  keys: number;
  expires: number;
  /** Keys whose values are a module's own. */
  modules: number;
  /** Function libraries. Nobody but a server can tell whether their code compiles. */
  libraries: number;
  /** The highest database that is selected: a server that has fewer ends at it. null: not looked at, without --deep. */
  highest_database: number | null;
  /** What servers live with; null: not looked at, without --deep. */
  passed_over: PassedOver | null;
  /** Are no two keys the same? null: not looked at, or not to be told in one reading. */
  keys_distinct: boolean | null;
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
  /** Of a damaged one: what to type for what is sound of it; null where it can be read only once. */
  salvage: string | null;
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
      .option('deep', {
        type: 'boolean',
        default: false,
        describe: 'Decode every value too, and ask all that a server asks',
      }),
  examples: [
    ['$0 rdb check /var/lib/redis/dump.rdb', ''],
    ['zstdcat dump.rdb.zst | $0 rdb check - --deep', ''],
  ],
  async run(context, { file, deep }) {
    const source = await openDump(context, file);
    const start = context.clock.monotonic();
    const count = { keys: 0, expires: 0, modules: 0, libraries: 0 };
    const rules = deep
      ? new DumpRules(randomWords(), { bytes: source.bytes, again: source.again })
      : undefined;
    const read = await attempt(context, source, rules, count);
    const seconds = (context.clock.monotonic() - start) / 1000;
    const fault = read instanceof RdbError ? read : undefined;
    const whole = read instanceof RdbError ? undefined : read;
    const common = { file: source.name, deep, ...count, seconds: Math.round(seconds * 1000) / 1000 };
    return {
      ...common,
      verdict: verdictOf(fault, rules),
      sound: whole !== undefined,
      engine: whole?.version.engine ?? null,
      rdb_version: whole?.version.version ?? null,
      bytes: whole?.bytes ?? null,
      crc: whole?.crc ?? null,
      replication_marker: whole?.marker ?? false,
      highest_database: rules?.highestDatabase ?? null,
      passed_over: rules === undefined ? null : passedOver(rules),
      keys_distinct: whole?.distinct ?? null,
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
      summary: fault === undefined ? verdictOf(fault, rules) : describeFault(fault),
      salvage: fault?.kind === 'damaged' && source.again ? salvageCommand(file) : null,
    };
  },
  render(verdict, { style, width }) {
    const { file, fault, summary, salvage } = verdict;
    if (fault?.kind === 'damaged')
      return (
        `${style.bad('damaged')}: ${printable(file)}: ${summary}` +
        (salvage === null ? '' : `\n  where this is all there is, its sound keys: ${printable(salvage)}`)
      );
    if (fault !== null)
      return `${style.bad('cannot be read')}: ${printable(file)}: ${summary}\n  damaged here, or of a newer server: a newer redis-agent may know it`;
    const bytes = verdict.bytes ?? 0;
    const rate = `${formatDuration(verdict.seconds * 1000)}, ${formatBytes(bytes / Math.max(verdict.seconds, 0.001))}/s`;
    const modules = verdict.modules === 0 ? '' : ` but those of modules (${verdict.modules})`;
    const lines = [
      verdict.verdict === 'sound'
        ? `${style.good('sound')}: ${printable(file)}`
        : `${style.warning('loaded, though not all of it is right')}: ${printable(file)}`,
      `  RDB version ${verdict.rdb_version} of ${verdict.engine}, ${formatBytes(bytes)}, ${checksum(verdict)}`,
      `  ${counted(verdict.keys, 'key')}, ${verdict.expires} of them with a time to live${verdict.deep ? `, every value${modules} decoded` : ''}`,
      `  read in ${rate}`,
    ];
    const say = (text: string): void =>
      void lines.push(indent(wrap(`${style.warning('note')}: ${text}`, width - 2)));
    for (const passed of verdict.passed_over === null ? [] : describePassed(verdict.passed_over))
      say(printable(passed));
    for (const many of describeDatabases(verdict.highest_database ?? 0)) say(many);
    if (verdict.deep && verdict.libraries > 0)
      say(
        `whether the code of its ${verdict.libraries} function ${verdict.libraries === 1 ? 'library' : 'libraries'} compiles only a server can tell: backups verify --load`,
      );
    if (verdict.deep && verdict.keys_distinct !== true)
      say('whether a key stands there twice could not be told: that takes a second reading, of a file');
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

function verdictOf(fault: RdbError | undefined, rules: DumpRules | undefined): RdbVerdict['verdict'] {
  if (fault !== undefined) return fault.kind;
  const passed = rules !== undefined && rules.empty.count + rules.staleStreams.count > 0;
  return passed ? 'passed-over' : 'sound';
}

/** A fault is a result here. */
async function attempt(
  context: CommandContext,
  source: Awaited<ReturnType<typeof openDump>>,
  rules: DumpRules | undefined,
  count: { keys: number; expires: number; modules: number; libraries: number },
): Promise<(DumpRead & { distinct: boolean | null }) | RdbError> {
  const handler = {
    record({ expiresAt, type }: RdbRecord): void {
      count.keys++;
      if (expiresAt >= 0) count.expires++;
      if (type.data === 'module') count.modules++;
    },
    functions: () => void count.libraries++,
  };
  try {
    if (rules === undefined) return { ...(await readDump(context, source, handler)), distinct: null };
    const read = await readDump(context, source, withRules(handler, rules), { sink: rules.sink });
    return { ...read, distinct: await areDistinct(context, source, rules) };
  } catch (error) {
    if (error instanceof RdbError) return error;
    throw error;
  }
}

/** Reads once more where the first reading could not rule it out. Throws an RdbError at a key that is there twice. */
async function areDistinct(
  context: CommandContext,
  source: Awaited<ReturnType<typeof openDump>>,
  { twins, seed, distinct }: DumpRules,
): Promise<boolean | null> {
  if (distinct) return true;
  if (!source.again) return null;
  const finder = new TwinFinder(twins.suspects, seed);
  await readDump(context, source, finder);
  return finder.unsure ? null : true;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function checksum({ crc }: RdbVerdict): string {
  if (crc === 'ok') return 'CRC64 right';
  return crc === 'off' ? 'without a checksum (rdbchecksum no)' : 'of a version without a checksum';
}
