import type { EvidenceLine } from '../../../domain/task.ts';
import { counted } from '../../../lib/text/counted.ts';
import { readInfo } from '../../../redis/server.ts';
import { compareRuns, readConnectionReport, type ConnectionReport } from '../../../redis/trial/report.ts';
import { testConnection } from '../../../redis/trial/test-connection.ts';
import { Note } from '../../../state/notes/note.ts';
import type { EvidenceSource } from './source.ts';

/** How often each step is timed: a median, and no more than a server notices. */
const rounds = 50;

/**
 * Does what `check --connection` does, where that is asked for, since it writes; and compares with the last time, and with the
 * first, else what becomes slower by a tenth a month is never seen. Both are kept as files that `--baseline` takes too.
 */
export async function benchmark(source: EvidenceSource): Promise<EvidenceLine[]> {
  const { settings, instance, clock, signal, progress } = source;
  if (!settings.maintenance.benchmark) return [];
  const connection = await source.connect();
  if ((await readInfo(connection)).get('role') === 'slave')
    return [{ text: 'benchmark: left out, since a replica takes no writes', ok: null }];
  const options = { rounds, valueBytes: 100, database: undefined };
  const report = await testConnection(connection.target, options, { clock, signal, progress });
  const [failed, ...others] = report.steps.filter(({ verdict }) => verdict === 'failed');
  if (failed !== undefined) {
    const { name, problem, hint } = failed;
    const more =
      others.length === 0
        ? ''
        : `; so did ${counted(others.length, 'more step')}: redis-agent check --connection`;
    return [
      {
        text: `benchmark: ${name} failed: ${problem ?? ''}${hint === null ? '' : ` (${hint})`}${more}`,
        ok: false,
      },
    ];
  }
  const [first, last] = ['first', 'last'].map(
    (which) =>
      new Note(settings.state.path, `benchmark/${instance.name}-${which}.json`, readConnectionReport),
  );
  const before = { first: first?.readIfSound(), last: last?.readIfSound() };
  if (before.first === undefined) first?.write(report);
  last?.write(report);
  return compared(report, before);
}

function compared(
  report: ConnectionReport,
  before: { first: ConnectionReport | undefined; last: ConnectionReport | undefined },
): EvidenceLine[] {
  const measured = report.steps.flatMap(({ name, latency }) =>
    latency === null ? [] : [`${name} ${inMs(latency.p50)}`],
  );
  const slower = (['last', 'first'] as const).flatMap((which) => {
    const old = before[which];
    if (old === undefined) return [];
    const worse = compareRuns(old, report).filter(({ verdict }) => verdict === 'worse');
    return worse.map(({ name, before: was, after }) => ({ which, name, was, after, at: old.at }));
  });
  const named = slower.filter(({ name }, at) => slower.findIndex((other) => other.name === name) === at);
  const lines = named.map(({ which, name, was, after, at }): EvidenceLine => ({
    text: `benchmark: ${name} takes ${inMs(after)}, ${inMs(was)} the ${which} time (${at.slice(0, 10)})`,
    ok: false,
  }));
  if (lines.length > 0) return lines;
  const than =
    before.last === undefined
      ? 'nothing to compare with yet'
      : `no slower than on ${before.last.at.slice(0, 10)}`;
  return [{ text: `benchmark: ${than}: ${measured.join('; ')}`, ok: true }];
}

function inMs(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
}
