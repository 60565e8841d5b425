import {
  LineCounter,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type YAMLError,
} from 'yaml';

type Path = readonly PropertyKey[];

/** A place in the configuration file, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/** What the parser says about one place. */
export interface SyntaxProblem extends Position {
  /** `what is wrong; what would be right`. */
  message: string;
}

/** Plain data of a YAML file and where each part of it stands. */
export interface ParsedDocument {
  data: unknown;
  /** Of the value at `path`, or of its key; of the nearest part around it when it is not there. */
  position(path: Path, atKey: boolean): Position;
}

/** More aliases than this make a document refused: a few lines of them can stand for gigabytes. */
const maxAliases = 100;

/**
 * Parses YAML 1.2 (core schema, no tags, one document, text keys). Never repeats what stands in the file: a stray
 * character often sits in a password.
 */
export function parseYaml(source: string): ParsedDocument | SyntaxProblem[] {
  const lines = new LineCounter();
  const document = parseDocument(source, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    // Warnings count as errors below; without this they would also go to stderr.
    logLevel: 'error',
    lineCounter: lines,
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0)
    return causes(errors.map((error) => ({ ...positionAt(error.pos[0]), message: syntaxMessage(error) })));
  try {
    const data: unknown = document.toJS({ maxAliasCount: maxAliases });
    return { data, position: (path, atKey) => positionAt(offsetOf(document, path, atKey)) };
  } catch (error) {
    return [{ line: 1, column: 1, message: aliasMessage(error) }];
  }
}

const tab = 'a tab indents this line; use spaces';
const indentation = 'the indentation does not fit what is above; align it with its siblings';
const noKey = 'a key or its colon is missing here; write key: value on one line';

/** One problem a line; where the indentation is wrong, all that comes after it is read wrongly too. */
function causes(problems: readonly SyntaxProblem[]): SyntaxProblem[] {
  const isIndent = ({ message }: SyntaxProblem): boolean => message === tab || message === indentation;
  const broken = problems.find(isIndent)?.line ?? Infinity;
  const lines = new Set<number>();
  return problems.filter((problem) => {
    if (lines.has(problem.line) || (problem.line > broken && !isIndent(problem))) return false;
    lines.add(problem.line);
    return true;
  });
}

/** The parser's code in our words: its own messages quote the file. */
function syntaxMessage(error: YAMLError): string {
  if (error.message.startsWith('Sequence item without -')) return indentation;
  if (error.message.startsWith('Implicit map keys need')) return noKey;
  if (error.message.startsWith('Unexpected alias'))
    return 'text that begins with * is no text here; put a schedule in quotes: "*/6 * * * *"';
  const own: Partial<Record<YAMLError['code'], string>> = {
    DUPLICATE_KEY: 'this key stands here twice; leave one of them out',
    TAB_AS_INDENT: tab,
    TAG_RESOLVE_FAILED: 'tags (!name) are not known here; quote the text if it begins with !',
    BAD_SCALAR_START: 'text cannot begin with this character; put it in quotes',
    BAD_DQ_ESCAPE: 'this \\ escape is unknown; write \\\\ or use single quotes',
    MISSING_CHAR: 'a quote, bracket or comma is missing here; close it or quote the text',
    MULTIPLE_DOCS: 'a second document (---) begins here; use one file for one document',
    NON_STRING_KEY: 'a key is not plain text; write key: value',
    BAD_INDENT: indentation,
    BLOCK_AS_IMPLICIT_KEY:
      'a key: value stands inside a value; put the text in quotes, or the key on a line of its own',
    MULTILINE_IMPLICIT_KEY: noKey,
    RESOURCE_EXHAUSTION: 'the nesting is too deep; a configuration needs no more than six levels',
    BAD_ALIAS: 'this alias (*name) is not usable; put the text in quotes if it begins with *',
  };
  return own[error.code] ?? 'this is not YAML; check quotes, colons and brackets here';
}

function aliasMessage(error: unknown): string {
  if (error instanceof Error && error.message.startsWith('Unresolved alias'))
    return 'an alias (*name) has no anchor (&name) before it; put the text in quotes if it begins with *';
  return `more than ${maxAliases} aliases, or an alias inside itself; write the values out`;
}

function offsetOf(document: Document, path: Path, atKey: boolean): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, key] of path.entries()) {
    const whole = resolveAlias(document, node);
    if (isSeq(whole)) {
      node = whole.items[Number(key)];
      offset = startOf(node) ?? offset;
      continue;
    }
    const pair = isMap(whole)
      ? whole.items.find((each) => isScalar(each.key) && each.key.value === key)
      : undefined;
    if (pair === undefined) return offset;
    node = pair.value;
    const pointAtKey = atKey && depth === path.length - 1;
    // An empty value has no place of its own.
    offset = (pointAtKey || isEmpty(node) ? undefined : startOf(node)) ?? startOf(pair.key) ?? offset;
  }
  return offset;
}

function resolveAlias(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.source === '';
}

function startOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined;
}
