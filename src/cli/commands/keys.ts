import { AgentError } from '../../domain/errors.ts';
import type { KeyspaceSummary } from '../../domain/keyspace.ts';
import { KeyspaceReport, type ReportOptions } from '../../keyspace/report.ts';
import { defineCommand } from '../define-command.ts';
import { dumpError, openDump, readDump } from '../dump-source.ts';
import { renderKeyspace } from '../render/keyspace-report.ts';

interface Args {
  source: string;
  top: number;
  separator: string | undefined;
  depth: number;
  database: number | undefined;
  type: string | undefined;
}

const types = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];
const mostTop = 1000;
const deepest = 10;

export interface KeysResult extends KeyspaceSummary {
  /** What was read. */
  source: string;
}

export const keysCommand = defineCommand<Args, { result: KeysResult; top: number }>({
  usage: 'keys [source]',
  summary: 'What a backup or dump holds: types, large keys, prefixes, times to live',
  options: (yargs) =>
    yargs
      .positional('source', {
        type: 'string',
        default: 'latest',
        describe: 'A backup id, latest, a dump.rdb (plain or zstd), or - for stdin',
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
        default: 3,
        describe: 'Segments of a name that make a prefix',
        requiresArg: true,
      })
      .option('database', { type: 'number', describe: 'Only this database', requiresArg: true })
      .option('type', { choices: types, describe: 'Only keys of this type', requiresArg: true }),
  examples: [
    ['$0 keys', 'the newest backup'],
    ['$0 keys /var/lib/redis/dump.rdb --top 5', 'a file; needs no configuration'],
    ['redis-cli --rdb - | $0 keys -', 'whatever comes in'],
  ],
  async run(context, args) {
    const options = reportOptions(args, context.clock.now());
    const source = await openDump(context, args.source);
    const report = new KeyspaceReport(options);
    try {
      await readDump(context, source, report);
    } catch (error) {
      throw dumpError(source, error);
    }
    return { result: { source: source.name, ...report.summary() }, top: args.top };
  },
  document: ({ result }) => result,
  render: ({ result, top }, { style, width }) => renderKeyspace(result, { style, width, top }),
});

function reportOptions({ top, separator, depth, database, type }: Args, now: number): ReportOptions {
  requireWhole('top', top, 1, mostTop);
  requireWhole('depth', depth, 1, deepest);
  if (database !== undefined) requireWhole('database', database, 0, 2 ** 31);
  if (separator !== undefined && !/^[!-/:-@[-`{-~]$/.test(separator))
    throw new AgentError('usage', '--separator takes one punctuation mark', { hint: "such as ':' or '/'" });
  return {
    now,
    top,
    prefixes: Math.max(50, 3 * top),
    depth,
    ...(separator === undefined ? {} : { separator }),
    ...(database === undefined ? {} : { database }),
    ...(type === undefined ? {} : { type }),
  };
}

function requireWhole(name: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to)
    throw new AgentError('usage', `--${name} takes a whole number from ${from} to ${to}`);
}
