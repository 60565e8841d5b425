import { proveJob, verifyJob } from '../../../jobs/prove/verify-job.ts';
import type { VerifyReport, VerifyVerdict } from '../../../jobs/prove/verify.ts';
import { defineCommand } from '../../define-command.ts';
import { exitCodes } from '../../exit-code.ts';
import { renderTable } from '../../render/table.ts';

interface Args {
  id: string | undefined;
  // No defaults: yargs takes an option with one for given, and these exclude each other.
  all: boolean | undefined;
  load: boolean | undefined;
  deep: boolean | undefined;
  quick: boolean | undefined;
}

export const backupsVerifyCommand = defineCommand<Args, VerifyReport>({
  usage: 'backups verify [id]',
  summary: 'Read backups back and prove them',
  options: (yargs) =>
    yargs
      .positional('id', { type: 'string', describe: 'A backup id, or latest (the default)' })
      .option('all', { type: 'boolean', describe: 'Every backup of the instance' })
      .option('load', {
        type: 'boolean',
        describe: 'Load it into a scratch server and compare key counts',
      })
      .option('deep', {
        type: 'boolean',
        describe: 'Decode every value: what is compressed or packed may be damaged inside',
      })
      .option('quick', {
        type: 'boolean',
        describe: 'Only length and SHA-256 of what is stored',
      })
      .conflicts('load', 'quick')
      .conflicts('deep', 'quick')
      .conflicts('all', 'id'),
  examples: [
    ['$0 backups verify', 'the newest: stored bytes, decoding, CRC64, redis-check-rdb'],
    ['$0 backups verify --all --load', 'every one, loaded into a scratch server'],
  ],
  async run(context, { id, all, load, deep, quick }) {
    const app = await context.app();
    const instance = app.instance(context.globals.instance);
    const depth = quick === true ? 'stored' : load === true ? 'loaded' : 'checked';
    return all === true || id === 'all'
      ? app.run(verifyJob, instance, { which: 'all', depth, deep: deep === true }, context)
      : app.run(proveJob, instance, { which: id ?? 'latest', depth, deep: deep === true }, context);
  },
  render({ verdicts, foreign }, { style }) {
    const paint = (verdict: VerifyVerdict['verdict']): ((text: string) => string) =>
      verdict === 'ok'
        ? style.good
        : verdict === 'damaged' || verdict === 'missing'
          ? style.bad
          : style.warning;
    const rows = [
      ...verdicts
        .toReversed()
        .map(({ id, verdict, summary }) => [id, { text: verdict, paint: paint(verdict) }, summary]),
      ...foreign.map((key) => [
        key,
        { text: 'foreign', paint: style.warning },
        'not written by redis-agent; left alone',
      ]),
    ];
    return rows.length === 0
      ? 'There is no backup to verify'
      : renderTable([{ title: '' }, { title: '' }, { title: '' }], rows);
  },
  exitCode: ({ all, verdicts }) => {
    const has = (...wanted: VerifyVerdict['verdict'][]): boolean =>
      verdicts.some(({ verdict }) => wanted.includes(verdict));
    if (has('damaged', 'missing')) return exitCodes.damaged;
    // Asked for one, nothing but its proof is a success; among all, those of others are no failure.
    return has('unproven') || (!all && has('incomplete', 'newer')) ? exitCodes.failed : exitCodes.ok;
  },
});
