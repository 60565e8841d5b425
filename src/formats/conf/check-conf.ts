import { closest } from '../../lib/text/closest.ts';
import type { AclContext } from '../acl/acl-context.ts';
import { applyRules } from '../acl/apply-rules.ts';
import { asText, directivesOf, type ConfDocument, type ConfLine, type DirectiveLine } from './document.ts';
import { directiveNames, knownElsewhere, lookUpDirective, type DirectiveFacts } from './directive-table.ts';
import { atLeastVersion, showEngine, type EngineVersion } from './engine.ts';
import { holdsSecret, type ConfFault } from './fault.ts';
import { specialJudges } from './judge-special.ts';
import { judgeValue, type BadValue } from './judge-value.ts';

export interface CheckOptions {
  engine: EngineVersion;
  hash: AclContext['hash'];
  /** Bytes of memory that the server will have, for percentages. */
  memory?: number | undefined;
}

/** Everything that is wrong with a redis.conf for that server: all of it, where the server tells the first. */
export function checkConf(document: ConfDocument, options: CheckOptions): ConfFault[] {
  const faults = document.lines.flatMap((line) => {
    if (line.kind === 'broken') return [brokenFault(line)];
    return line.kind === 'directive' ? checkDirective(line, options) : [];
  });
  return [...faults.map((fault) => withRight(fault, faults)), ...combinations(document)].toSorted(
    (a, b) => a.line - b.line || a.column - b.column,
  );
}

/** What is right without the comment is right only where nothing else is wrong with the line. */
function withRight(fault: ConfFault, faults: readonly ConfFault[]): ConfFault {
  if (fault.kind !== 'trailing-comment') return fault;
  const other = faults.find(({ line, kind }) => line === fault.line && kind !== 'trailing-comment');
  return other === undefined ? fault : { ...fault, right: other.right };
}

const broken = {
  bom: 'the file begins with a byte order mark, which the server takes for a part of the first word',
  nul: 'a NUL byte: this is no text, and the server reads no further in this line',
  quote: 'a quote that is not closed, or has something right behind it',
} as const;

function brokenFault({ line, column, why, raw }: Extract<ConfLine, { kind: 'broken' }>): ConfFault {
  const without = why === 'bom' ? asText(raw).replace(/^\uFEFF/, '') : undefined;
  const base = {
    line,
    column,
    message: broken[why],
    weight: 'fatal' as const,
    name: undefined,
    right: undefined,
  };
  return { ...base, kind: why, mended: without === undefined ? undefined : [without] };
}

function checkDirective(line: DirectiveLine, options: CheckOptions): ConfFault[] {
  const { engine } = options;
  const { name } = line;
  const known = lookUpDirective(name, engine);
  if (known.state === 'unknown') return [unknownFault(line, engine)];
  const comment = trailingComment(line, known.facts, engine);
  if (comment !== undefined) {
    // What is before it may be wrong too, and is worth saying at once.
    const rest = { ...line, words: line.words.filter(({ column }) => column < comment.column) };
    return [comment, ...checkDirective(rest, options).filter(({ kind }) => kind !== 'unprobed')];
  }
  if (known.state === 'unprobed') return [unprobedFault(line, engine)];
  const arity = arityFault(line, known.facts);
  if (arity !== undefined) return [arity];
  if (name === 'user') return userFaults(line, options);
  const words = line.words.map(({ text }) => text);
  const special = Object.hasOwn(specialJudges, name) ? specialJudges[name]?.(words, engine) : undefined;
  if (special !== undefined)
    return [valueFault(line, special.at, special, special.trap === true ? 'trap' : 'fatal')];
  for (const [index, word] of words.entries()) {
    const bad = judgeValue(known.facts, word, options.memory);
    if (bad !== undefined) return [valueFault(line, index, bad, known.probed ? 'fatal' : 'doubt')];
  }
  return [];
}

function unknownFault(line: DirectiveLine, engine: EngineVersion): ConfFault {
  const elsewhere = knownElsewhere(line.name);
  const near = elsewhere.length > 0 ? undefined : closest(line.name, directiveNames(engine));
  const others = elsewhere.length > 0 ? `; ${elsewhere.join(', ')} know it` : '';
  return {
    ...at(line, line.column),
    kind: 'unknown',
    message: `${showEngine(engine)} does not know this directive${others}`,
    weight: 'fatal',
    right: near === undefined ? undefined : shown({ ...line, name: near }),
    mended: undefined,
  };
}

function unprobedFault(line: DirectiveLine, engine: EngineVersion): ConfFault {
  return {
    ...at(line, line.column),
    kind: 'unprobed',
    message: `whether ${showEngine(engine)} knows this directive was not probed; ${knownElsewhere(line.name).join(', ')} do`,
    weight: 'doubt',
    right: undefined,
    mended: [asText(line.raw)],
  };
}

/** From where a comment begins in the words, or -1. A hash of a password is none. */
function commentAt({ name, words }: DirectiveLine, facts: DirectiveFacts | undefined): number {
  const from =
    name === 'user' ? 1 : facts?.arity[1] === null || facts === undefined ? 0 : (facts.arity[1] ?? 0);
  return words.findIndex(
    ({ raw }, index) =>
      index >= from && raw.startsWith('#') && !(name === 'user' && /^#[0-9a-f]{64}$/.test(raw)),
  );
}

function trailingComment(
  line: DirectiveLine,
  facts: DirectiveFacts | undefined,
  engine: EngineVersion,
): ConfFault | undefined {
  const index = commentAt(line, facts);
  const word = line.words[index];
  if (word === undefined) return undefined;
  const kept = { ...line, words: line.words.slice(0, index) };
  const offset = Buffer.from(
    Array.from(asText(line.raw))
      .slice(0, word.column - 1)
      .join(''),
  ).length;
  const indent = /^[ \t]*/.exec(line.raw)?.[0] ?? '';
  const text = asText(line.raw.slice(offset)).trimEnd();
  const rest = asText(line.raw.slice(0, offset)).trimEnd();
  return {
    ...at(line, word.column),
    kind: 'trailing-comment',
    message: 'trailing comment: a comment is a line of its own, here it counts as more words',
    // The oldest pass over the line, and with it the default points are gone.
    weight: line.name === 'save' && isOlder(engine) ? 'trap' : 'fatal',
    right: shown(kept),
    mended: [`${indent}${text}`, rest],
  };
}

function isOlder({ engine, version }: EngineVersion): boolean {
  return engine === 'redis' && !atLeastVersion(version, '7.0');
}

function arityFault(line: DirectiveLine, { arity: [least, most] }: DirectiveFacts): ConfFault | undefined {
  const count = line.words.length;
  if (count >= least && (most === null || count <= most)) return undefined;
  const wanted = most === null ? `at least ${least}` : least === most ? String(least) : `${least} to ${most}`;
  // `maxmemory 1 gb`
  const joined = most === 1 && count === 2 ? line.words.map(({ text }) => text).join('') : undefined;
  const size = joined !== undefined && /^\d+(?:[kmg]b?|b)$/i.test(joined) ? joined : undefined;
  return {
    ...at(line, (line.words[most ?? count] ?? line).column),
    kind: 'arity',
    message: `takes ${wanted} ${wanted === '1' ? 'word' : 'words'}, ${count} stand here`,
    weight: 'fatal',
    right: size === undefined ? undefined : `${line.name} ${size}`,
    mended: size === undefined ? undefined : [`${line.name} ${size}`],
  };
}

function valueFault(
  line: DirectiveLine,
  index: number,
  bad: BadValue,
  weight: ConfFault['weight'],
): ConfFault {
  const word = line.words[index];
  const right =
    bad.right === undefined || word === undefined
      ? undefined
      : { ...line, words: line.words.with(index, { ...word, text: bad.right, raw: bad.right }) };
  return {
    ...at(line, word?.column ?? line.column),
    kind: 'value',
    message: bad.why,
    weight,
    right: right && shown(right),
    mended: right === undefined ? undefined : [written(right)],
  };
}

function userFaults(line: DirectiveLine, { engine, hash }: CheckOptions): ConfFault[] {
  const [name, ...rules] = line.words.map(({ text }) => text);
  const { faults } = applyRules(name ?? '', rules, { engine, hash });
  const [first] = faults;
  if (first === undefined) return [];
  return [
    {
      ...at(line, line.words[first.word + 1]?.column ?? line.column),
      kind: 'rule',
      message: first.why,
      weight: 'fatal',
      right: undefined,
      mended: undefined,
    },
  ];
}

function at(line: DirectiveLine, column: number): Pick<ConfFault, 'line' | 'column' | 'name'> {
  return { line: line.line, column, name: line.name };
}

/** The right line, for people. */
function shown(line: DirectiveLine): string {
  return holdsSecret(line.name) ? `${line.name} …` : written(line);
}

function written({ name, words }: DirectiveLine): string {
  return [name, ...words.map(({ raw }) => raw)].join(' ');
}

/** Lines that are right each and wrong together. */
function combinations(document: ConfDocument): ConfFault[] {
  const lines = directivesOf(document);
  const named = (name: string): DirectiveLine | undefined =>
    lines.findLast((line) => line.name === name && (line.words[0]?.text ?? '') !== '');
  const found: ConfFault[] = [];
  const [aclfile, user] = [named('aclfile'), named('user')];
  if (aclfile !== undefined && user !== undefined)
    found.push(
      together(
        user,
        `users stand in the aclfile of line ${aclfile.line}: with both the server does not start`,
      ),
    );
  const replica = named('replicaof') ?? named('slaveof');
  const cluster = named('cluster-enabled');
  if (
    replica !== undefined &&
    cluster?.words[0]?.text.toLowerCase() === 'yes' &&
    replica.words[0]?.text.toLowerCase() !== 'no'
  )
    found.push(together(replica, 'a cluster node takes no replicaof: the cluster itself decides'));
  return found;
}

function together(line: DirectiveLine, message: string): ConfFault {
  return {
    ...at(line, line.column),
    kind: 'combination',
    message,
    weight: 'fatal',
    right: undefined,
    mended: undefined,
  };
}
