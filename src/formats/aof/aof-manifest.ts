import { AgentError } from '../../domain/errors.ts';
import { splitArguments } from './split-arguments.ts';

/** One line of a manifest. */
export interface AofFile {
  /** Bare: the file lies beside the manifest. */
  name: string;
  seq: number;
  /** b: base, i: incr, h: history (about to be deleted by the server, no part of the data). */
  type: 'b' | 'i' | 'h';
  /** Further key and value pairs, as newer servers write them (`startoffset`, `endoffset`). */
  extra: [key: string, value: string][];
}

/** Which files make up a multi-part AOF (Redis 7.0 and newer, Valkey): the base, then the incrs in this order. */
export interface AofManifest {
  base: AofFile | undefined;
  incrs: AofFile[];
  history: AofFile[];
}

/** MANIFEST_MAX_LINE of aof.c, with the line's end. */
const longestLine = 1024;
const tooLong = `it is longer than ${longestLine} bytes`;
const known = new Set(['file', 'seq', 'type']);

/**
 * Reads `<appendfilename>.manifest` by the rules of the server's own loader (aof.c, aofLoadManifestFromFile). Throws an
 * AgentError `damaged` whose message starts with the line's number.
 */
export function parseAofManifest(text: string): AofManifest {
  const manifest: AofManifest = { base: undefined, incrs: [], history: [] };
  if (text === '') throw new AgentError('damaged', 'it is empty', { reason: 'manifest' });
  for (const { line, number, rest } of linesOf(text))
    try {
      addLine(manifest, line, number);
    } catch (error) {
      throw rest ? wrong(number, `${tooLong}, and a server takes its rest for another line`) : error;
    }
  return manifest;
}

/** As a server reads them: at most so many bytes at a time, so that what is longer becomes more than one. */
function linesOf(text: string): { line: string; number: number; rest: boolean }[] {
  const bytes = Buffer.from(text);
  const lines: ReturnType<typeof linesOf> = [];
  let [number, rest] = [1, false];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0x0a, from);
    const to = Math.min(end < 0 ? bytes.length : end + 1, from + longestLine);
    lines.push({ line: bytes.toString('utf8', from, to), number, rest });
    rest = bytes[to - 1] !== 0x0a;
    if (!rest) number++;
    from = to;
  }
  return lines;
}

/** The manifest of the files that hold data: what a copy needs. */
export function formatAofManifest({ base, incrs }: Pick<AofManifest, 'base' | 'incrs'>): string {
  return [...(base === undefined ? [] : [base]), ...incrs].map(formatLine).join('');
}

function addLine(manifest: AofManifest, line: string, number: number): void {
  if (line.startsWith('#')) return;
  if (!line.endsWith('\n'))
    throw wrong(
      number,
      Buffer.byteLength(line) < longestLine ? 'it does not end with a line break' : tooLong,
    );
  const file = parseLine(line.slice(0, -1), number);
  const { base, incrs } = manifest;
  if ([base, ...incrs].some((other) => other?.name === file.name && file.type !== 'h'))
    throw wrong(number, `${JSON.stringify(file.name)} is listed twice`);
  if (file.type === 'h') manifest.history.push(file);
  else if (file.type === 'i') {
    const before = incrs.at(-1);
    if (before !== undefined && before.seq >= file.seq)
      throw wrong(number, `incr ${file.seq} comes after incr ${before.seq}: the sequence does not rise`);
    incrs.push(file);
  } else {
    if (base !== undefined) throw wrong(number, 'it names a second base');
    manifest.base = file;
  }
}

function parseLine(line: string, number: number): AofFile {
  const words = splitArguments(line);
  if (words === undefined) throw wrong(number, 'its quotes are not closed');
  if (words.length < 6 || words.length % 2 !== 0)
    throw wrong(number, 'it is no list of `file NAME seq NUMBER type b|i|h`');
  const pairs = new Map<string, string>();
  const extra: AofFile['extra'] = [];
  for (let at = 0; at < words.length; at += 2) {
    const [key = '', value = ''] = words.slice(at, at + 2);
    if (known.has(key.toLowerCase())) pairs.set(key.toLowerCase(), value);
    else extra.push([key, value]);
  }
  const name = pairs.get('file') ?? '';
  if (name === '') throw wrong(number, 'it names no file');
  if (/[/\\\0]/.test(name) || name === '.' || name === '..')
    throw wrong(number, `${JSON.stringify(name)} is a path and no file name`);
  const seq = pairs.get('seq') ?? '';
  if (!/^0*[1-9]\d{0,14}$/.test(seq)) throw wrong(number, `${JSON.stringify(seq)} is no sequence number`);
  // Servers look at its first letter alone.
  const type = pairs.get('type')?.slice(0, 1) ?? '';
  if (type !== 'b' && type !== 'i' && type !== 'h')
    throw wrong(number, `${JSON.stringify(type)} is no type of file (b, i or h)`);
  return { name, seq: Number(seq), type, extra };
}

function formatLine({ name, seq, type, extra }: AofFile): string {
  const words = ['file', name, 'seq', String(seq), 'type', type, ...extra.flat()];
  return `${words.map(quoteIfNeeded).join(' ')}\n`;
}

/** As sdscatrepr writes what sdsneedsrepr finds in need of it. */
function quoteIfNeeded(word: string): string {
  if (/^[!#-&(-[\]-~]+$/.test(word)) return word;
  const bytes = Array.from(Buffer.from(word), (byte) => {
    const letter = String.fromCharCode(byte);
    if (letter === '"' || letter === '\\') return `\\${letter}`;
    return byte >= 0x20 && byte < 0x7f ? letter : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${bytes.join('')}"`;
}

function wrong(line: number, problem: string): AgentError {
  return new AgentError('damaged', `line ${line}: ${problem}`, { reason: 'manifest' });
}
