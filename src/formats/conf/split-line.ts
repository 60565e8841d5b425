/** One word of a line. */
export interface ConfWord {
  /** What the server makes of it: without quotes and escapes, as UTF-8. */
  text: string;
  /** Where it stands in the line, as a byte offset: from its first byte to behind its last. */
  start: number;
  end: number;
}

/** `broken` is where the quote stands that is not closed, or that has something right behind it. */
export type SplitLine = { words: ConfWord[]; broken?: undefined } | { broken: number };

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/**
 * The words of a line as Redis splits them (sds.c, sdssplitargs): white space between them, "double quotes" with
 * escapes, 'single quotes' without. `line` holds a byte a character (latin1), since \xNN are bytes of UTF-8.
 */
export function splitLine(line: string): SplitLine {
  const words: ConfWord[] = [];
  for (let at = skipBlanks(line, 0); at < line.length; at = skipBlanks(line, at)) {
    const start = at;
    let word = '';
    while (at < line.length && !endsWord(line[at])) {
      const quote = line[at];
      if (quote !== '"' && quote !== "'") {
        word += line[at++];
        continue;
      }
      const quoted = readQuoted(line, at + 1, quote);
      if (quoted === undefined || (quoted.end < line.length && !isBlank(line[quoted.end])))
        return { broken: at };
      word += quoted.text;
      at = quoted.end;
      // Behind a closing quote the word is over, also where only a vertical tab or a form feed follows.
      break;
    }
    words.push({ text: Buffer.from(word, 'latin1').toString('utf8'), start, end: at });
  }
  return { words };
}

function readQuoted(line: string, start: number, quote: string): { text: string; end: number } | undefined {
  let word = '';
  for (let at = start; at < line.length;) {
    const letter = line[at] ?? '';
    const next = line[at + 1] ?? '';
    const hex = quote === '"' ? /^\\x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 4))?.[1] : undefined;
    if (letter === quote) return { text: word, end: at + 1 };
    if (hex !== undefined) {
      word += String.fromCharCode(Number.parseInt(hex, 16));
      at += 4;
    } else if (letter === '\\' && next !== '' && (quote === '"' || next === "'")) {
      word += quote === '"' ? (escapes[next] ?? next) : next;
      at += 2;
    } else {
      word += letter;
      at += 1;
    }
  }
  return undefined;
}

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (at < line.length && isBlank(line[at])) at++;
  return at;
}

function isBlank(letter: string | undefined): boolean {
  return letter !== undefined && /[ \t\r\n\v\f]/.test(letter);
}

/** Within a word the server looks for fewer blanks than between words. */
function endsWord(letter: string | undefined): boolean {
  return letter !== undefined && /[ \t\r\n]/.test(letter);
}
