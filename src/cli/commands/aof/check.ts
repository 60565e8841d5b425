import { counted } from '../../../lib/text/counted.ts';
import type { AofVerdict } from '../../../backup/aof/facts.ts';
import { AgentError } from '../../../domain/errors.ts';
import type { Severity } from '../../../domain/finding.ts';
import { checkAofJob } from '../../../jobs/aof/check-aof-job.ts';
import { checkAofAt, type CheckAofOptions } from '../../../jobs/aof/check-aof.ts';
import type { AofReport } from '../../../jobs/aof/examine-aof.ts';
import { formatBytes } from '../../../lib/text/bytes.ts';
import { printable } from '../../../lib/text/printable.ts';
import { shellWord } from '../../../lib/process/shell-word.ts';
import { defineCommand } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderTable } from '../../render/table.ts';
import type { Style } from '../../render/style.ts';

interface Args {
  path: string | undefined;
  quick: boolean | undefined;
  deep: boolean | undefined;
  fix: boolean | undefined;
  to: string | undefined;
}

const damaged: readonly AofVerdict[] = ['hostile', 'corrupt', 'missing', 'sequence', 'mismatch'];
const fine: readonly AofVerdict[] = ['ok', 'off', 'starting'];

export const aofCheckCommand = defineCommand<Args, AofReport>({
  usage: 'aof check [path]',
  summary: 'Is the append only file sound? The server goes on meanwhile',
  options: (yargs) =>
    yargs
      .positional('path', {
        type: 'string',
        describe: 'A folder (appenddirname), a manifest or one file; the instance’s own when left out',
      })
      .option('quick', {
        type: 'boolean',
        describe: 'Only what no earlier run has read, without redis-check-aof',
      })
      .option('deep', {
        type: 'boolean',
        describe: 'Have a scratch server of the same version load a copy of it too',
      })
      .option('fix', {
        type: 'boolean',
        describe: 'Write what is sound into the folder of --to; the original stays as it is',
      })
      .option('to', { type: 'string', requiresArg: true, describe: 'A new or empty folder, for --fix' })
      .conflicts('quick', 'fix')
      .conflicts('quick', 'deep'),
  examples: [
    ['$0 aof check', 'every byte of the instance’s AOF, and redis-check-aof on a copy'],
    ['$0 aof check --deep', 'and a scratch server loads it'],
    ['$0 aof check ./appendonlydir --fix --to ./repaired', 'what a cut would keep, and what it takes'],
  ],
  async run(context, { path, quick, deep, fix, to }) {
    if ((fix === true) !== (to !== undefined))
      throw new AgentError('usage', '--fix and --to belong together', {
        hint: 'aof check --fix --to DIR writes a repaired copy into DIR',
      });
    const options: CheckAofOptions = {
      depth: quick === true ? 'quick' : 'full',
      load: deep === true,
      fixTo: to,
    };
    if (path !== undefined) return checkAofAt(path, options, context);
    const app = await context.app();
    return app.run(checkAofJob, app.instance(context.globals.instance), options, context);
  },
  render: renderReport,
  exitCode({ verdict }) {
    if (damaged.includes(verdict)) return exitCodes.damaged;
    return fine.includes(verdict) ? exitCodes.ok : exitCodes.findings;
  },
});

function renderReport(report: AofReport, { style }: { style: Style }): string {
  const { verdict, files, problems, cuts, tool, load, fixed } = report;
  const colour = fine.includes(verdict) ? style.good : damaged.includes(verdict) ? style.bad : style.warning;
  const parts = [`${colour(verdict)}: ${printable(report.summary.replace(`${verdict}: `, ''))}`];
  if (files.length > 0)
    parts.push(
      renderTable(
        [{ title: 'file' }, { title: 'size', align: 'right' }, { title: 'holds' }, { title: '' }],
        files.map(({ name, bytes, commands, rdb_keys: keys, read_from: from, state }) => [
          name,
          formatBytes(bytes),
          `${keys === null ? '' : `${counted(keys, 'key')}, `}${counted(commands, 'command')}`,
          `${state}${from === 0 ? '' : `, read from byte ${from}`}`,
        ]),
      ),
    );
  if (problems.length > 0)
    parts.push(
      renderTable(
        [{ title: '' }, { title: '' }],
        problems.map((problem) => [
          { text: problem.severity, paint: paintOf(style, problem.severity) },
          `${problem.summary}; ${problem.remedy}`,
        ]),
      ),
    );
  for (const cut of cuts)
    parts.push(
      `a cut of ${printable(cut.file)} at byte ${cut.offset} takes ${cut.bytes} bytes, ${cut.complete} whole commands` +
        cut.commands.map((command) => `\n  ${printable(command)}`).join(''),
    );
  if (tool !== null) parts.push(style.faint(printable(tool.summary)));
  if (load !== null) parts.push(style.faint(printable(load.summary)));
  if (fixed !== null) parts.push(renderFixed(fixed));
  return parts.join('\n');
}

function renderFixed({ folder, files, bytes, dropped }: NonNullable<AofReport['fixed']>): string {
  const left = dropped.length === 0 ? '' : `; left out: ${dropped.join(', ')}`;
  return printable(
    `written to ${folder}: ${counted(files, 'file')}, ${formatBytes(bytes)}${left}; to put it in the place of what is there: redis-agent restore ${shellWord(folder)}`,
  );
}

function paintOf(style: Style, severity: Severity): (text: string) => string {
  if (severity === 'critical' || severity === 'high') return style.bad;
  return severity === 'warning' ? style.warning : style.faint;
}
