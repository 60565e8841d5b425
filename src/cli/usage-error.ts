import { AgentError } from '../domain/errors.ts';
import { closest } from '../lib/text/closest.ts';

/** What commands there are, to see which was meant. */
export interface Known {
  /** As they are typed, with their positionals. */
  usages: readonly string[];
  /** Options of all commands, without dashes. */
  options: readonly string[];
}

/** An AgentError `usage`: what yargs has against the words, as a person would say it, and what may have been meant. */
export function usageError(error: Error, argv: readonly string[], { usages, options }: Known): AgentError {
  const message = error.message.replaceAll(/\s*\n\s*/g, ' ').trim();
  const usage = usageOf(argv, usages);
  const [, list = ''] = /^Unknown (?:argument|command)s?: (.*)$/.exec(message) ?? [];
  // Options come twice, as they were typed and in camelCase.
  const unknown = list
    .split(', ')
    .filter((word, index) => word !== '' && (index === 0 || !/[A-Z]/.test(word)));
  const asTyped = unknown.map((word) => typed(word, argv));
  // With a command that there is not, nothing is known of its options.
  const first = asTyped.find((word) => !word.startsWith('-')) ?? asTyped[0];
  const meant = first === undefined ? undefined : whatWasMeant(first, argv, { usages, options });
  return new AgentError(
    'usage',
    first === undefined
      ? inOurWords(message, usage, wordsBehind(argv, usages))
      : `unknown argument: ${asTyped.join(', ')}`,
    { cause: error, hint: `${meant ?? ''}${meant?.endsWith('?') === true ? '' : seeHelp(usage)}` },
  );
}

/** Undefined: nothing that we know is near. */
function whatWasMeant(
  first: string,
  argv: readonly string[],
  { usages, options }: Known,
): string | undefined {
  if (first.startsWith('-')) {
    const name = first.replace(/^-+/, '');
    const near = first.startsWith('--') ? closest(name, options) : undefined;
    if (near === name) return `${first} is for another command; `;
    return near === undefined ? undefined : `did you mean --${near}?`;
  }
  const words = usages.flatMap(literalWords);
  const near = closest(first, words);
  if (near === undefined) return undefined;
  const [group] = wordsOf(argv);
  return `did you mean ${commandsWith(near, usages, group)}?`;
}

/** The option as somebody has typed it: yargs tells its name alone. */
function typed(name: string, argv: readonly string[]): string {
  const forms = [`--${name}`, `-${name}`];
  return forms.find((form) => argv.some((word) => word === form || word.startsWith(`${form}=`))) ?? name;
}

/** Those that are typed as they stand. */
function literalWords(usage: string): string[] {
  return usage.split(' ').filter((word) => /^[a-z]/.test(word));
}

/** All that are no options; values of options are among them. */
function wordsOf(argv: readonly string[]): string[] {
  return argv.filter((word) => !word.startsWith('-'));
}

/** The command that was typed, or the word of a group; undefined where it is none. */
function usageOf(argv: readonly string[], usages: readonly string[]): string | undefined {
  const words = wordsOf(argv);
  const isTyped = (usage: string): boolean => {
    const literal = literalWords(usage);
    const at = words.indexOf(literal[0] ?? '');
    return at !== -1 && literal.every((word, index) => words[at + index] === word);
  };
  const found = usages
    .filter(isTyped)
    .toSorted((a, b) => literalWords(b).length - literalWords(a).length)
    .at(0);
  return found ?? words.find((word) => usages.some((usage) => usage.startsWith(`${word} `)));
}

function seeHelp(usage: string | undefined): string {
  const words = usage === undefined ? [] : literalWords(usage);
  return `see: ${['redis-agent', ...words, '--help'].join(' ')}`;
}

/**
 * A word that commands begin with, as it is; else the commands in which it stands behind others, those of `group` before all:
 * `backups prune`.
 */
function commandsWith(word: string, usages: readonly string[], group: string | undefined): string {
  const all = usages.map(literalWords);
  if (all.some(([first]) => first === word)) return word;
  const found = all.flatMap((words) => {
    const at = words.indexOf(word);
    return at === -1 ? [] : [words.slice(0, at + 1)];
  });
  const own = found.filter(([first]) => first === group);
  const named = (own.length > 0 ? own : found).map((words) => words.join(' '));
  return [...new Set(named)].join(', or ');
}

/** Of words that commands begin with, the whole of them and what may come next: `harden tls` and `enable`. */
function wordsBehind(argv: readonly string[], usages: readonly string[]): { begun: string; next: string[] } {
  const words = wordsOf(argv);
  const fits = usages.map(literalWords).filter((usage) => words.every((word, at) => usage[at] === word));
  return { begun: words.join(' '), next: [...new Set(fits.flatMap((usage) => usage[words.length] ?? []))] };
}

function inOurWords(
  message: string,
  usage: string | undefined,
  { begun, next }: { begun: string; next: string[] },
): string {
  /** An option, or one of the command's words. */
  const named = (name: string): string =>
    /[[<]([\w-]+)/g.exec(usage ?? '')?.[1] === name ? `<${name}>` : `--${name}`;
  const command = usage === undefined ? 'the command' : literalWords(usage).join(' ');
  const sayings: [RegExp, (...parts: string[]) => string][] = [
    [/^Not enough arguments following: (\S+)$/, (name = '') => `${dashed(name)} needs a value`],
    [
      /^Missing required arguments?: (.+)$/,
      (list = '') => `${command} needs ${list.split(', ').map(named).join(' and ')}`,
    ],
    [
      /^Arguments (\S+) and (\S+) are mutually exclusive$/,
      (one = '', other = '') => `${named(one)} and ${named(other)} exclude each other`,
    ],
    [
      /^(?:Implications failed|Missing dependent arguments):\s+(\S+) -> (\S+)$/,
      (one = '', other = '') => `${named(one)} needs ${named(other)}`,
    ],
    [
      /^Invalid values: Argument: (\S+), Given: (.*), Choices: (.*)$/,
      (name = '', given, choices = '') =>
        `${named(name)} is one of ${choices.replaceAll('"', '')}, and not ${given}`,
    ],
    [
      /^Not enough non-option arguments: got \d+, need at least \d+$/,
      () =>
        next.length > 0
          ? `${begun} needs ${next.join(' or ')} after it`
          : `${command} needs ${(usage ?? '').split(' ').filter(isDemanded).join(' ') || 'a command after it'}`,
    ],
  ];
  for (const [pattern, say] of sayings) {
    const [found, ...parts] = pattern.exec(message) ?? [];
    if (found !== undefined) return say(...parts);
  }
  return message;
}

function isDemanded(word: string): boolean {
  return word.startsWith('<');
}

/** A letter is the short form of one. */
function dashed(name: string): string {
  return `${name.length === 1 ? '-' : '--'}${name}`;
}
