import { splitLine } from '../conf/split-line.ts';

/** The words of a line of text; undefined when a quote is not closed or has something right behind it. */
export function splitArguments(line: string): string[] | undefined {
  const split = splitLine(Buffer.from(line).toString('latin1'));
  return split.broken === undefined ? split.words.map(({ text }) => text) : undefined;
}
