import { AgentError } from '../../../domain/errors.ts';
import type { KeyspaceSummary } from '../../../domain/keyspace.ts';
import type { ReportOptions } from '../../../keyspace/report.ts';
import { defineCommand } from '../../define-command.ts';
import { openDump } from '../../../app/dumps/dump-source.ts';
import { readReport, storedReport } from '../../../app/dumps/key-reports.ts';
import { refuseTwoFormats, requireWhole } from '../../require-option.ts';
import { keyspaceCsv } from '../../render/keyspace-csv.ts';
import { renderKeyspace } from '../../render/keyspace-report.ts';

interface Args {
  source: string;
  top: number;
  separator: string | undefined;
  depth: number | undefined;
  database: number | undefined;
  type: string | undefined;
  stored: boolean;
  csv: boolean;
}

const types = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];
const mostTop = 1000;
const deepest = 10;

export interface KeysResult extends KeyspaceSummary {
  /** What was read. */
  source: string;
  /** Was it the report that is kept of the dump, and not the dump? */
  stored: boolean;
}

export const keysCommand = defineCommand<Args, { result: KeysResult; top: number; csv: boolean }>({
  usage: 'keys [source]',
  summary: 'What a backup or dump holds: types, large keys, prefixes; diff: what changed',
  options: (yargs) =>
    yargs
      .positional('source', {
        type: 'string',
        default: 'latest',
        describe:
          'A backup id, latest, previous, a dump.rdb (plain or zstd), what --json printed, or - for stdin',
      })
      .option('top', {
        type: 'number',
        default: 20,
        describe: 'Keys and prefixes to show',
        requiresArg: true,
      })
      .option('separator', {
        type: 'string',
        describe: 'What divides names (found by itself)',
        requiresArg: true,
      })
      .option('depth', {
        type: 'number',
        defaultDescription: '3',
        describe: 'Segments of a name that make a prefix',
        requiresArg: true,
      })
      .option('database', { type: 'number', describe: 'Only this database', requiresArg: true })
      .option('type', { choices: types, describe: 'Only keys of this type', requiresArg: true })
      .option('stored', {
        type: 'boolean',
        default: false,
        describe: 'The report kept with the backup; the dump is not read',
      })
      .option('csv', { type: 'boolean', default: false, describe: 'One table for a spreadsheet' }),
  examples: [
    ['$0 keys', 'the newest backup'],
    ['$0 keys /var/lib/redis/dump.rdb --top 5', 'a file; needs no configuration'],
    ['redis-cli --rdb - | $0 keys -', 'whatever comes in'],
    ['$0 keys --csv > keys.csv', 'for a spreadsheet'],
  ],
  async run(context, args) {
    refuseTwoFormats(context, args);
    const options = reportOptions(args, context.clock.now());
    if (args.stored) refuseToCountAnew(args);
    const source = await openDump(context, args.source);
    const stored = args.stored || source.kind === 'report';
    if (stored) refuseToCountAnew(args);
    const { summary } = stored
      ? await storedReport(context, source)
      : await readReport(context, source, options);
    return { result: { source: source.name, stored, ...summary }, top: args.top, csv: args.csv };
  },
  document: ({ result }) => result,
  render: ({ result, top, csv }, { style, width }) =>
    csv ? keyspaceCsv(result) : renderKeyspace(result, { style, width, top }),
});

/** What is kept was counted when it was written. */
function refuseToCountAnew(args: Args): void {
  const asked = (['separator', 'depth', 'database', 'type'] as const).find(
    (name) => args[name] !== undefined,
  );
  if (asked !== undefined)
    throw new AgentError('usage', `--${asked} has no meaning for a report that is already made`, {
      hint: 'name a backup or dump, without --stored, to have it read',
    });
}

function reportOptions({ top, separator, depth, database, type }: Args, now: number): ReportOptions {
  requireWhole('top', top, 1, mostTop);
  if (depth !== undefined) requireWhole('depth', depth, 1, deepest);
  if (database !== undefined) requireWhole('database', database, 0, 2 ** 31);
  if (separator !== undefined && !/^[!-/:-@[-`{-~]$/.test(separator))
    throw new AgentError('usage', '--separator takes one punctuation mark', { hint: "such as ':' or '/'" });
  return {
    now,
    top,
    prefixes: Math.max(50, 3 * top),
    ...(depth === undefined ? {} : { depth }),
    ...(separator === undefined ? {} : { separator }),
    ...(database === undefined ? {} : { database }),
    ...(type === undefined ? {} : { type }),
  };
}
