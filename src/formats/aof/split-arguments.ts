const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/**
 * The words of a line as Redis splits them (sds.c, sdssplitargs): white space between them, "double quotes" with
 * escapes, 'single quotes' without. Undefined when a quote is not closed or has something right behind it.
 */
export function splitArguments(line: string): string[] | undefined {
  // Byte by byte, since \xNN are bytes of UTF-8: as latin1, and made text at the end.
  const text = Buffer.from(line).toString('latin1');
  const words: string[] = [];
  for (let at = skipBlanks(text, 0); at < text.length; at = skipBlanks(text, at)) {
    let word = '';
    while (at < text.length && !isBlank(text[at])) {
      const quote = text[at];
      if (quote !== '"' && quote !== "'") {
        word += text[at++];
        continue;
      }
      const quoted = readQuoted(text, at + 1, quote);
      if (quoted === undefined || (quoted.end < text.length && !isBlank(text[quoted.end]))) return undefined;
      word += quoted.text;
      at = quoted.end;
    }
    words.push(Buffer.from(word, 'latin1').toString('utf8'));
  }
  return words;
}

function readQuoted(text: string, start: number, quote: string): { text: string; end: number } | undefined {
  let word = '';
  for (let at = start; at < text.length;) {
    const letter = text[at] ?? '';
    const next = text[at + 1] ?? '';
    const hex = quote === '"' ? /^\\x([0-9a-fA-F]{2})/.exec(text.slice(at, at + 4))?.[1] : undefined;
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

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text[at])) at++;
  return at;
}

function isBlank(letter: string | undefined): boolean {
  return letter !== undefined && /[ \t\r\n\v\f]/.test(letter);
}
