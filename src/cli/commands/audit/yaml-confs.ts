import { parseServerArguments } from '../../../formats/conf/server-arguments.ts';
import { splitLine } from '../../../formats/conf/split-line.ts';

/** A configuration inside a YAML file. */
export interface YamlConf {
  /** `service cache`, `master.configuration` */
  where: string;
  /** As a redis.conf. */
  text: string;
  image: string | undefined;
}

/** Compose puts something of its own in there: no placeholder, and nothing that we could judge. */
const filledIn = `filled-in-by-compose-${'x'.repeat(20)}`;

/** The commands of servers in a compose file, and texts of a redis.conf in the values or manifests of Helm. */
export function confsInYaml(data: unknown): YamlConf[] {
  return [...commandsOf(data), ...textsOf(data, [])];
}

function commandsOf(data: unknown): YamlConf[] {
  const services = entriesOf(valueOf(data, 'services'));
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
        image: typeof image === 'string' ? image : undefined,
      },
    ];
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
function textsOf(data: unknown, path: readonly string[]): YamlConf[] {
  if (typeof data === 'string') {
    const name = path.at(-1) ?? '';
    const conf = /(?:^|[.\w])(?:configuration|redis\.conf|valkey\.conf|conf)$/i.test(name);
    return conf && /^\s*[a-z][a-z-]+\s+\S/m.test(data)
      ? [{ where: path.join('.'), text: data, image: undefined }]
      : [];
  }
  if (path[0] === 'services' || path.length > 8) return [];
  return entriesOf(data).flatMap(([key, value]) => textsOf(value, [...path, key]));
}

function entriesOf(data: unknown): [string, unknown][] {
  return typeof data === 'object' && data !== null ? Object.entries(data) : [];
}

function valueOf(data: unknown, key: string): unknown {
  return entriesOf(data).find(([name]) => name === key)?.[1];
}
