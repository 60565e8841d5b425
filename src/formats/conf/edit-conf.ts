import {
  asText,
  generatedFrom,
  parseConfDocument,
  type ConfDocument,
  type DirectiveLine,
} from './document.ts';
import { splitLine } from './split-line.ts';

/** A change of lines: `remove` of them from `at` (0 is the first), and `insert`, a byte a character, in their place. */
export interface LineEdit {
  at: number;
  remove: number;
  insert: string[];
}

/** The line with another value: its indent, its name as it is written, its line end and what else is blank stay. */
export function withValue(line: Pick<DirectiveLine, 'raw' | 'name'>, value: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line was read as a directive: it can be split
  const { words } = splitLine(line.raw) as { words: { start: number; end: number }[] };
  const [name, first] = words;
  if (name === undefined) return `${line.name} ${value}`;
  const end = words.at(-1)?.end ?? name.end;
  const head = first === undefined ? `${line.raw.slice(0, name.end)} ` : line.raw.slice(0, first.start);
  return `${head}${bytes(value)}${line.raw.slice(end)}`;
}

/** Where lines of ours go that stand nowhere yet: behind everything that people have written. */
export function endOf(document: ConfDocument): number {
  const generated = generatedFrom(document);
  if (generated !== undefined) return generated - 1;
  return lastLine(document);
}

/** Behind everything, also what the server has written: what stands there wins. */
export function lastLine({ lines }: ConfDocument): number {
  return lines.at(-1)?.raw === '' ? lines.length - 1 : lines.length;
}

/** New lines with the line end of the file. */
export function newLines({ lines }: ConfDocument, texts: readonly string[]): string[] {
  const crlf = lines.filter(({ raw }) => raw.endsWith('\r')).length * 2 > lines.length;
  return texts.map((text) => `${bytes(text)}${crlf ? '\r' : ''}`);
}

/** The document after all of them; they do not overlap. */
export function editConf({ lines }: ConfDocument, edits: readonly LineEdit[]): ConfDocument {
  const result = lines.map(({ raw }) => raw);
  // From the end, so that the places of those before stay right.
  for (const { at, remove, insert } of edits.toSorted((a, b) => b.at - a.at)) {
    const atEnd = at === result.length;
    result.splice(at, remove, ...insert);
    if (atEnd && insert.length > 0) result.push('');
  }
  return parseConfDocument(Buffer.from(result.join('\n'), 'latin1'));
}

type Op = { sign: ' ' | '-' | '+'; raw: string; shown: boolean };
const around = 3;

/**
 * The edits of a file as a unified diff, which `patch` takes. `mayShow` says of a line that was there whether it may be seen:
 * around a change there are as many lines as may, three at most.
 */
export function diffConf(
  path: string,
  { lines }: ConfDocument,
  edits: readonly LineEdit[],
  mayShow: (index: number) => boolean,
): string {
  if (edits.length === 0) return '';
  const ops: Op[] = [];
  const sorted = edits.toSorted((a, b) => a.at - b.at);
  const last = lines.at(-1)?.raw === '' ? lines.length - 1 : lines.length;
  let index = 0;
  for (const { at, remove, insert } of [...sorted, { at: last, remove: 0, insert: [] }]) {
    for (; index < at; index++) ops.push({ sign: ' ', raw: lines[index]?.raw ?? '', shown: mayShow(index) });
    for (; index < at + remove; index++) ops.push({ sign: '-', raw: lines[index]?.raw ?? '', shown: true });
    ops.push(...insert.map((raw) => ({ sign: '+' as const, raw, shown: true })));
  }
  const unended = last === lines.length ? lines.length - 1 : -1;
  return [`--- ${path}`, `+++ ${path}`, ...hunks(ops, unended)].join('\n');
}

function hunks(ops: readonly Op[], unended: number): string[] {
  const wanted = ops.map((_, at) => isNear(ops, at));
  const out: string[] = [];
  let [before, after, at] = [0, 0, 0];
  while (at < ops.length) {
    if (wanted[at] !== true) {
      before++;
      after++;
      at++;
      continue;
    }
    const [fromBefore, fromAfter] = [before, after];
    const body: string[] = [];
    for (; wanted[at] === true; at++) {
      const { sign, raw } = ops[at] ?? { sign: ' ', raw: '' };
      body.push(`${sign}${asText(raw)}`);
      if (sign !== '+' && before === unended) body.push('\\ No newline at end of file');
      if (sign !== '+') before++;
      if (sign !== '-') after++;
    }
    out.push(`@@ -${span(fromBefore, before)} +${span(fromAfter, after)} @@`, ...body);
  }
  return out;
}

/** A change, or a line near one with nothing between them that may not be seen. */
function isNear(ops: readonly Op[], at: number): boolean {
  if (ops[at]?.sign !== ' ') return true;
  for (const step of [-1, 1])
    for (let each = at, far = 0; far <= around && ops[each]?.shown === true; each += step, far++)
      if (ops[each]?.sign !== ' ') return true;
  return false;
}

function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Lines from one number, counted from 0, to another; of none the line before them. */
function span(from: number, to: number): string {
  return `${from + (to > from ? 1 : 0)},${to - from}`;
}
