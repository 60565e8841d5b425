import { AgentError } from '../../../domain/errors.ts';
import { diffMeasures, type DiffMeasure } from '../../../keyspace/diff.ts';
import { defineCommand } from '../../define-command.ts';
import { openDump } from '../../../app/dumps/dump-source.ts';
import { compareReports, reportPair, type KeysDiffResult } from '../../../app/dumps/report-pair.ts';
import { refuseTwoFormats, requireWhole } from '../../require-option.ts';
import { diffCsv } from '../../render/keyspace-csv.ts';
import { renderKeyspaceDiff } from '../../render/keyspace-diff.ts';

interface Args {
  before: string;
  after: string;
  by: DiffMeasure;
  top: number | undefined;
  stored: boolean;
  full: boolean;
  csv: boolean;
}

const mostTop = 100_000;
/** Prefixes that are shown to people. */
const usualTop = 20;

export const keysDiffCommand = defineCommand<Args, { result: KeysDiffResult; top: number; csv: boolean }>({
  usage: 'keys diff [before] [after]',
  summary: 'What grew, shrank, appeared and vanished between two backups or dumps',
  options: (yargs) =>
    yargs
      .positional('before', {
        type: 'string',
        default: 'previous',
        describe:
          'A backup id, latest, previous (the one before), a dump.rdb, what keys --json printed, or -',
      })
      .positional('after', { type: 'string', default: 'latest', describe: 'The same; only one can be -' })
      .option('by', {
        requiresArg: true,
        choices: diffMeasures,
        default: 'memory' as const,
        describe: 'What changes are judged by',
      })
      .option('top', {
        type: 'number',
        defaultDescription: `${usualTop}; all with --json and --csv`,
        describe: 'Prefixes to show',
        requiresArg: true,
      })
      .option('stored', {
        type: 'boolean',
        default: false,
        describe: 'Only what is kept with the backups: never read a dump',
      })
      .option('full', {
        type: 'boolean',
        default: false,
        describe: 'Read the dumps, for all prefixes and not the largest',
      })
      .option('csv', { type: 'boolean', default: false, describe: 'One table for a spreadsheet' }),
  examples: [
    ['$0 keys diff', 'the two newest backups'],
    ['$0 keys diff 20261101T060000Z-7f3a latest --by keys', 'the month, by number of keys'],
    ['$0 keys diff old.rdb new.rdb', 'files; need no configuration'],
  ],
  async run(context, args) {
    refuseTwoFormats(context, args);
    const { before, after, by, top, stored, full, csv } = args;
    if (top !== undefined) requireWhole('top', top, 1, mostTop);
    if (stored && full) throw new AgentError('usage', '--stored and --full exclude each other');
    if (before === '-' && after === '-')
      throw new AgentError('usage', 'only one of the two can be standard input');
    const sources = [await openDump(context, before), await openDump(context, after)] as const;
    const pair = await reportPair(context, sources, stored ? 'stored' : full ? 'full' : 'any');
    const most = top ?? (csv || context.globals.json ? Infinity : usualTop);
    return { result: compareReports(pair, by), top: most, csv };
  },
  document: ({ result, top }) => firstOf(result, top),
  render: ({ result, top, csv }, { style, width }) =>
    csv ? diffCsv(firstOf(result, top)) : renderKeyspaceDiff(result, { style, width, top }),
});

function firstOf(result: KeysDiffResult, top: number): KeysDiffResult {
  return { ...result, prefixes: { ...result.prefixes, list: result.prefixes.list.slice(0, top) } };
}
