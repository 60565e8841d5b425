import type { ParsedDocument } from '../../../config/document.ts';
import type { TextOrigin } from '../../../harden/read/read-files.ts';
import { parseServerArguments } from '../../../formats/conf/server-arguments.ts';
import { splitLine } from '../../../formats/conf/split-line.ts';

/** A configuration inside a YAML file. */
export interface YamlConf {
  /** `service cache`, `master.configuration` */
  where: string;
  /** As a redis.conf. */
  text: string;
  /** Where each of its lines begins in the YAML file. */
  origins: TextOrigin[];
  image: string | undefined;
}

/** A YAML file, read. */
export interface YamlSource {
  text: string;
  document: ParsedDocument;
}

/** Compose puts something of its own in there: no placeholder, and nothing that we could judge. */
const filledIn = `filled-in-by-compose-${'x'.repeat(20)}`;

/** The commands of servers in a compose file, and texts of a redis.conf in the values or manifests of Helm. */
export function confsInYaml(source: YamlSource): YamlConf[] {
  return [...commandsOf(source), ...textsOf(source, source.document.data, [])];
}

function commandsOf(source: YamlSource): YamlConf[] {
  const services = entriesOf(valueOf(source.document.data, 'services'));
  return services.flatMap(([name, service]) => {
    const image = valueOf(service, 'image');
    const words = wordsOf(valueOf(service, 'command'));
    const at = words.findIndex((word) => /(?:^|\/)(?:redis|valkey)-server$/.test(word));
    const known = typeof image === 'string' && /redis|valkey/.test(image);
    if (at === -1 && !known) return [];
    const { directives } = parseServerArguments(at === -1 ? words : words.slice(at + 1));
    const text = directives.map(({ name: directive, values }) =>
      [directive, ...values.map(quoted)].join(' '),
    );
    return [
      {
        where: `service ${name}`,
        text: `${text.join('\n')}\n`,
        origins: originsOf(
          source,
          ['services', name, 'command'],
          directives.map((directive) => directive.name),
        ),
        image: typeof image === 'string' ? image : undefined,
      },
    ];
  });
}

/** Each option where it is written behind the one before, however the command is written; else the command itself. */
function originsOf({ text, document }: YamlSource, path: string[], options: readonly string[]): TextOrigin[] {
  const start = { ...document.position(path, false), fixed: true };
  const lines = text.toLowerCase().split('\n');
  let { line, column } = start;
  return options.map((option) => {
    for (let at = line; at <= lines.length; at++) {
      const found = (lines[at - 1] ?? '').indexOf(`--${option}`, at === line ? column - 1 : 0);
      if (found === -1) continue;
      [line, column] = [at, found + 3];
      return { line, column, fixed: true };
    }
    return start;
  });
}

/** A command is a list of words or a line; `sh -c` has its words in one. */
function wordsOf(command: unknown): string[] {
  const words = Array.isArray(command)
    ? command.map(String)
    : typeof command === 'string'
      ? split(command.replaceAll('\n', ' '))
      : [];
  const [shell, option, line] = words;
  const inner =
    shell !== undefined && /(?:^|\/)(?:ba|da)?sh$/.test(shell) && option === '-c' && line !== undefined;
  return (inner ? split(line.replace(/^exec /, '')) : words).map(compose);
}

function split(line: string): string[] {
  // $(cat file) is one word to whoever wrote it.
  const whole = line.replaceAll(/\$\([^)]*\)/g, (text) => text.replaceAll(' ', '\0'));
  const { words } = { words: [], ...splitLine(Buffer.from(whole).toString('latin1')) };
  return words.map(({ text }: { text: string }) => text.replaceAll('\0', ' '));
}

/** `${NAME}` is compose's own and is filled in; `$$` is a dollar. */
function compose(word: string): string {
  return word.replaceAll(/(?<!\$)\$(?:\{[^}]*\}|\w+)/g, filledIn).replaceAll('$$', () => '$');
}

function quoted(word: string): string {
  return /^[^\s"'\\]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, (letter) => `\\${letter}`)}"`;
}

/** Texts that are a configuration by their name. */
function textsOf(source: YamlSource, data: unknown, path: readonly string[]): YamlConf[] {
  if (typeof data === 'string') {
    const name = path.at(-1) ?? '';
    const conf = /(?:^|[.\w])(?:configuration|redis\.conf|valkey\.conf|conf)$/i.test(name);
    return conf && /^\s*[a-z][a-z-]+\s+\S/m.test(data)
      ? [{ where: path.join('.'), text: data, origins: linesOf(source, data, path), image: undefined }]
      : [];
  }
  if (path[0] === 'services' || path.length > 8) return [];
  return entriesOf(data).flatMap(([key, value]) => textsOf(source, value, [...path, key]));
}

/** Those of a block (`|`) one by one; what is quoted or folded stands where it begins. */
function linesOf({ text, document }: YamlSource, data: string, path: readonly string[]): TextOrigin[] {
  const start = document.position(path, false);
  const lines = text.split('\n');
  const isBlock = lines[start.line - 1]?.[start.column - 1] === '|';
  const first = lines.slice(start.line).find((line) => line.trim() !== '') ?? '';
  const column = first.length - first.trimStart().length + 1;
  return data
    .split('\n')
    .map((_, at) => (isBlock ? { line: start.line + 1 + at, column } : { ...start, fixed: true }));
}

function entriesOf(data: unknown): [string, unknown][] {
  return typeof data === 'object' && data !== null ? Object.entries(data) : [];
}

function valueOf(data: unknown, key: string): unknown {
  return entriesOf(data).find(([name]) => name === key)?.[1];
}
