import { RdbError } from '../../../src/formats/rdb/rdb-handler.ts';
import { decodeValue } from '../data/decoded-value.ts';
import type { ServerBuild } from '../servers/server-builds.ts';
import { ServerJudge } from './server-judge.ts';
import { changed, madeUp, rightValues, type LoneValue } from './value-mutants.ts';

/** What --deep says of a value alone. */
export function deepVerdict({ type, raw }: LoneValue): 'sound' | 'passed-over' | 'damaged' {
  try {
    return decodeValue(type, raw).passedOver === undefined ? 'sound' : 'passed-over';
  } catch (error) {
    if (error instanceof RdbError) return 'damaged';
    throw error;
  }
}

export interface RuleReport {
  server: string;
  mutants: number;
  /** Of them, how many --deep calls sound: those the server was asked about. */
  sound: number;
  /** Sound for us, and not for the server. */
  missed: string[];
}

const batch = 400;

/** Mutants from `seed` on: each that --deep calls sound has to be taken by the server, with every check that it has. */
export async function compareRules(build: ServerBuild, seed: number, count: number): Promise<RuleReport> {
  await using judge = new ServerJudge(build);
  const right = rightValues(build.engine, seed);
  const report: RuleReport = { server: build.name, mutants: 0, sound: 0, missed: [] };
  for (let from = seed; from < seed + count; from += batch) {
    const values = Array.from({ length: Math.min(batch, seed + count - from) }, (_, at) =>
      at % 2 === 0 ? changed(right, from + at) : madeUp(build.engine, from + at),
    );
    const sound = values.filter((value) => judge.knows(value) && deepVerdict(value) === 'sound');
    const verdicts = await judge.judge(sound);
    report.mutants += values.length;
    report.sound += sound.length;
    for (const [at, { type, raw }] of sound.entries())
      if (verdicts[at] !== 'taken')
        report.missed.push(`type ${type.code}, ${verdicts[at]}: ${raw.toString('hex')}`);
  }
  return report;
}
