import { patienceOf, type Fault } from './faults.ts';
import type { SoakResult, Told } from './soak.ts';

const minute = 60_000;
/** Between a fault's end and the last that is told of it: how long the channel may be deaf, its back-off, and the grouping. */
const delay = 4 * 60 * minute;

/** One fault and what was told of it, in order. */
export interface Story {
  fault: Fault;
  told: Told[];
}

/**
 * Holds what was told against what was planned, with nothing in mind but the rules' own patience. `problems` names each
 * fault that nobody heard of, was told twice or never ended, and whatever was told of none.
 */
export function compare({ faults, told }: SoakResult): { stories: Story[]; problems: string[] } {
  const left = new Set(told);
  const problems: string[] = [];
  const stories = faults.map((fault): Story => {
    const { rule, instance, from, until } = fault;
    const patience = patienceOf(rule);
    const own = told.filter(
      (each) =>
        each.rule === rule &&
        each.instance === instance &&
        each.at >= from &&
        each.at < until + patience.keepFiring + delay &&
        left.has(each),
    );
    for (const each of own) left.delete(each);
    // What is sent again because its answer was lost has the same key.
    const once = own.filter(
      ({ key, change, episode }, at) =>
        own.findIndex((each) => each.key === key && each.change === change && each.episode === episode) ===
        at,
    );
    const changes = once.map(({ change }) => change).join(' ');
    const say = (what: string): void => {
      problems.push(
        `${instance} ${rule} from ${new Date(from).toISOString()} for ${Math.round((until - from) / minute)} min: ${what}: ${changes}`,
      );
    };
    if (!fault.told) {
      if (once.length > 0) say('was too short to be told');
    } else if (!/^(?:passed|fired(?: (?:repeated|open))*(?: resolved))$/.test(changes))
      say('told otherwise than once');
    else if (new Set(once.map(({ episode }) => episode)).size > 1) say('told as several');
    else if (once[0]!.at < from + patience.for) say('told too soon');
    else if (once[0]!.severity !== fault.severity) say(`told as ${once[0]!.severity}`);
    return { fault, told: once };
  });
  for (const { at, instance, rule, change } of left)
    problems.push(`${instance} ${rule} ${change} at ${new Date(at).toISOString()}: nothing was wrong`);
  return { stories, problems };
}
