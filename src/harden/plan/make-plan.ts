import { judgeValue } from '../../formats/conf/judge-value.ts';
import { specialJudges } from '../../formats/conf/judge-special.ts';
import {
  bindFor,
  changesAtRunTime,
  linesOfLimits,
  mergeLimits,
  nameFor,
  normalValue,
  outputLimits,
  wrongLimits,
} from '../../formats/conf/values.ts';
import type { DirectiveFacts } from '../../formats/conf/directive-table.ts';
import type { LineEdit } from '../../formats/conf/edit-conf.ts';
import type { Change, ChangePlace, HeldValue, Refusal } from '../changes.ts';
import type { Accepted, Wish } from '../policy.ts';
import { isAccepted, valueFor } from '../accept.ts';
import { fileValue, type InFiles } from './current.ts';
import { EditsOfFiles } from './edits.ts';
import type { PlanFacts } from './facts.ts';
import { guards, type Guards } from './guards.ts';
import { riskOf } from './risk.ts';

export interface Planned {
  changes: Change[];
  refused: Refusal[];
  /** Directives of the policy that this server does not have. */
  unknown: string[];
  /** What is as the policy wants it, at run time and in the files, or is made so. */
  held: HeldValue[];
  edits: Map<string, LineEdit[]>;
}

/** What the policy, the files and the run time come to. `stops`: what is not done, whatever the policy says. */
export function makePlan(facts: PlanFacts, stops: Guards = guards): Planned {
  const { policy, engine } = facts;
  const edits = new EditsOfFiles(facts.files, policy.name);
  const planned: Planned = { changes: [], refused: [], unknown: [], held: [], edits: new Map() };
  for (const wish of policy.wishes) {
    const known = nameFor(wish.name, engine);
    const running = known === undefined ? undefined : facts.config.get(known.name);
    if (known === undefined || running === undefined) {
      planned.unknown.push(wish.name);
      continue;
    }
    const found = decide(wish, known, running, facts, stops);
    if (found !== undefined && 'why' in found) {
      planned.refused.push(found);
      continue;
    }
    if (found !== undefined) planned.changes.push(place(found, wish, facts, edits));
    const to = found?.to ?? normalValue(known.facts, known.name, running);
    planned.held.push({ directive: known.name, to, accept: inSizes(wish.accept, facts.memory) });
  }
  planned.edits = edits.all();
  return planned;
}

/** Shares of memory as sizes: whoever looks later knows it by them. */
function inSizes(
  { at_least: least, at_most: most, ...accept }: Accepted,
  memory: number | undefined,
): Accepted {
  const inSize = (bound: string): string => valueFor(bound, memory) ?? bound;
  return {
    ...accept,
    ...(least !== undefined && { at_least: inSize(least) }),
    ...(most !== undefined && { at_most: inSize(most) }),
  };
}

interface Decision {
  name: string;
  to: string;
  runTime: string;
  inFiles: InFiles;
  changesNow: boolean;
  editsFile: boolean;
}

function decide(
  wish: Wish,
  { name, facts }: { name: string; facts: DirectiveFacts },
  running: string,
  plan: PlanFacts,
  stops: Guards,
): Decision | Refusal | undefined {
  const { engine, entries, memory } = plan;
  const runTime = normalValue(facts, name, running);
  const inFiles = fileValue(name, facts, entries, engine);
  const asked = wish.value.join(' ');
  const target = valueFor(name === 'bind' ? bindFor(asked, engine) : asked, memory);
  const isLimits = name === outputLimits;
  const limited = wish.accept.limited === true;
  // Of classes that the policy does not name, and of those that are right, nothing is changed.
  const wanted =
    target === undefined
      ? undefined
      : isLimits
        ? mergeLimits(runTime, wrongLimits(runTime, target, limited))
        : normalValue(facts, name, target);
  const isRight = (value: string | undefined): boolean => {
    if (value === undefined) return false;
    if (isLimits) return wrongLimits(value, target ?? '', limited) === '';
    return value === wanted || isAccepted(value, wish.accept, memory);
  };
  if (isRight(runTime) && runTime === inFiles.value) return undefined;
  const refuse = (why: string, instead: string, to = target ?? asked): Refusal => ({
    directive: name,
    to,
    why,
    instead,
  });
  // What runs stays, where it is right; else what the file says; else what the policy says.
  const to = isRight(runTime) ? runTime : isRight(inFiles.value) ? inFiles.value : wanted;
  if (to === undefined)
    return refuse(
      'the memory of its host cannot be seen, so that a share of it is no number',
      'name a size in a policy of your own',
    );
  const bad = judge(name, facts, to, plan);
  if (bad !== undefined) return refuse(`its value ${bad}`, 'correct the policy', to);
  const stop = stops[name]?.(to, plan);
  if (stop !== undefined) return { directive: name, to, ...stop };
  const editsFile = inFiles.value !== to;
  if (editsFile && inFiles.entries.length > 0 && inFiles.entries.at(-1)?.place === undefined)
    return refuse(
      'the command that starts the server says it, and wins over the file',
      `take --${name} out of its unit or start command`,
      to,
    );
  return { name, to, runTime, inFiles, changesNow: runTime !== to, editsFile };
}

function judge(
  name: string,
  facts: DirectiveFacts,
  to: string,
  { engine, memory }: PlanFacts,
): string | undefined {
  const words = to.split(' ').filter(Boolean);
  const special = Object.hasOwn(specialJudges, name)
    ? specialJudges[name]?.(
        words.length === 0
          ? ['']
          : words.slice(0, name === 'save' ? 2 : name === outputLimits ? 4 : undefined),
        engine,
      )
    : undefined;
  if (special !== undefined) return special.why;
  for (const word of words) {
    const bad = judgeValue(facts, word, memory);
    if (bad !== undefined) return bad.why;
  }
  return undefined;
}

function place(
  { name, to, runTime, inFiles, changesNow, editsFile }: Decision,
  { reason, source }: Wish,
  plan: PlanFacts,
  edits: EditsOfFiles,
): Change {
  const facts = nameFor(name, plan.engine)?.facts;
  const atRunTime = facts !== undefined && changesAtRunTime(name, facts, plan.engine);
  const last = inFiles.entries.at(-1)?.place;
  let where: ChangePlace | null = last === undefined ? null : { file: last.file, line: last.line };
  if (editsFile)
    where =
      name === 'save'
        ? edits.setLines(name, pairs(to), reason, inFiles.entries, { clear: true })
        : name === outputLimits
          ? edits.setLines(name, linesOfLimits(to), reason, inFiles.entries)
          : edits.set(name, to, reason, inFiles.entries);
  return {
    directive: name,
    to,
    run_time: runTime,
    file: inFiles.value ?? '',
    place: where,
    class: !changesNow ? 'file' : atRunTime ? 'run time' : 'restart',
    reason,
    source,
    risk: riskOf(name),
    inverse: changesNow && atRunTime ? `CONFIG SET ${name} "${runTime}"` : 'the file as it was',
  };
}

/** One pair a line: before 7.0 a line takes no more. */
function pairs(points: string): string[] {
  const words = points.split(' ').filter(Boolean);
  if (words.length === 0) return ['""'];
  return words.flatMap((word, at) => (at % 2 === 0 ? [`${word} ${words[at + 1] ?? ''}`] : []));
}
