import type { Argv } from 'yargs';
import yargs from 'yargs';
import { agentVersion } from '../app/version.ts';
import { AgentError } from '../domain/errors.ts';
import { usageError } from './usage-error.ts';
import { loadCommands, type Commands } from './commands/index.ts';
import type { AnyCommand, GlobalOptions } from './define-command.ts';

export type ParsedArguments =
  | { kind: 'command'; command: AnyCommand; globals: GlobalOptions; args: unknown }
  /** Help, the version or a completion script: print it and be done. */
  | { kind: 'text'; text: string };

/** Options of every command. */
export const globalFlags = {
  config: {
    type: 'string',
    describe: 'Configuration file (default $REDIS_AGENT_CONFIG or /etc/redis-agent/config.yaml)',
    requiresArg: true,
  },
  instance: { type: 'string', describe: 'Which instance, where there are several', requiresArg: true },
  json: { type: 'boolean', default: false, describe: 'One JSON document on stdout' },
  color: { type: 'boolean', default: true, describe: 'Colours on a terminal (--no-color for none)' },
  quiet: { type: 'boolean', alias: 'q', describe: 'No progress' },
  verbose: { type: 'boolean', alias: 'v', describe: 'Say more, on stderr' },
} as const;

/** Those whose value is the word behind them. */
const takesNext = Object.entries(globalFlags).flatMap(([name, { type }]) =>
  type === 'string' ? [`--${name}`] : [],
);

/** Stands for the word `-` (stdin), which yargs would take for an option without a name. */
const dash = '\0-';

/** Parses a command line. Throws an AgentError `usage` that says what is wrong with it. */
export async function parseArguments(argv: readonly string[], width: number): Promise<ParsedArguments> {
  const words = askForHelp(argv);
  const meant = await loadCommands(commandWord(words));
  try {
    return { kind: 'text', text: await parse(words, width, meant) };
  } catch (error) {
    if (!(error instanceof Chosen)) throw await explained(error, argv);
    giveDashBack(error.args);
    refuseOddFlags(words, error.args);
    const { command, args } = error;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the options of base() have exactly these types
    return { kind: 'command', command, args, globals: args as GlobalOptions };
  }
}

/** Thrown with a command that was typed well: once a handler returns, yargs lays out the help of all, for nobody to see. */
class Chosen extends Error {
  readonly command: AnyCommand;
  readonly args: unknown;

  constructor(command: AnyCommand, args: unknown) {
    super('a command was chosen');
    this.command = command;
    this.args = args;
  }
}

/** `help restore` is `restore --help`, as other tools have it. yargs prints the completion script, whatever is asked of it. */
function askForHelp(argv: readonly string[]): readonly string[] {
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const asked = words.includes('--help') || words.includes('-h');
  return words[0] === 'completion' && asked ? ['--help'] : words;
}

/**
 * The word that names the command, behind options that may stand before it (units and scripts begin with `--config FILE`).
 * Where it cannot be told, all commands are loaded, which costs a start as much again.
 */
export function commandWord(words: readonly string[]): string | undefined {
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-')) return word;
    if (takesNext.includes(word)) rest.shift();
  }
  return undefined;
}

/** The text that is asked for. Throws a Chosen, or what is wrong. */
async function parse(
  argv: readonly string[],
  width: number,
  { commands, groupSummaries }: Commands,
): Promise<string> {
  let parser = base(width);
  for (const [group, members] of grouped(commands)) {
    const own = members.find((member) => !isMember(member));
    const below = members.filter(isMember);
    const register = (to: Argv, command: AnyCommand, usage: string): Argv =>
      to.command(
        usage,
        command.summary,
        (inner: Argv) => {
          const described = describeCommand(inner, command);
          return command === own ? registerBelow(described, own) : described;
        },
        (args) => {
          throw new Chosen(command, args);
        },
      );
    /** What comes after the group's word; `keys` is a command itself and has `keys diff` below it. */
    const registerBelow = (inner: Argv, above?: AnyCommand): Argv => {
      if (above !== undefined && below.length > 0) keepFromBelow(inner, optionNames([above]));
      for (const member of below) register(inner, member, member.usage.slice(group.length + 1));
      return inner;
    };
    parser =
      own === undefined
        ? parser.command(group, groupSummaries.get(group) ?? '', (inner: Argv) =>
            registerBelow(inner).demandCommand(1, `${group} needs a command after it`),
          )
        : register(parser, own, own.usage);
  }

  let text = '';
  await parser.parseAsync(
    argv.map((word) => (word === '-' ? dash : word)),
    {},
    (error: Error | undefined | null, _argv: unknown, output: string) => {
      text = output;
      if (error) throw error;
    },
  );
  return text;
}

function giveDashBack(args: unknown): void {
  if (typeof args !== 'object' || args === null) return;
  for (const [name, value] of Object.entries(args)) {
    if (value === dash) Reflect.set(args, name, '-');
    else if (Array.isArray(value)) giveDashBack(value);
  }
}

function base(width: number): Argv {
  // Without a locale the messages are in the language of the environment, and explained() reads them.
  return yargs()
    .locale('en')
    .scriptName('redis-agent')
    .usage('$0 COMMAND: backups that are proven, for a self-hosted Redis or Valkey')
    .options(globalFlags)
    .conflicts('quiet', 'verbose')
    .group(['config', 'instance', 'json', 'color', 'quiet', 'verbose', 'help', 'version'], 'Everywhere:')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'strip-aliased': true })
    .version(agentVersion)
    .alias('version', 'V')
    .help()
    .alias('help', 'h')
    .completion('completion', 'Shell: source <(redis-agent completion)')
    .strict()
    .demandCommand(1, 'a command is missing')
    .exitProcess(false)
    .wrap(width)
    .epilogue(
      'Exit status: 0 fine, 1 failed, 2 usage or configuration, 3 findings, 4 Redis, 5 repository, 6 damaged backup, ' +
        '7 refused to protect data, 8 locked by another run, 130 interrupted',
    );
}

function describeCommand(yargsOfCommand: Argv, command: AnyCommand): Argv {
  // What a command has for itself comes before what all have: the help shows groups in the order in which they are named.
  const ordered = yargsOfCommand.group([], 'Positionals:').group([], 'Options:');
  let result = command.options?.(ordered) ?? ordered;
  for (const [example, why] of command.examples ?? []) result = result.example(example, why);
  return result;
}

/** Options of a command that are not those of the commands below it, as options otherwise are. */
function keepFromBelow(parser: Argv, names: readonly string[]): void {
  const everywhere = optionNames([]);
  const own = names.filter((name) => !everywhere.includes(name));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as yargs documents it, the types lack the second
  (parser as unknown as { global(names: readonly string[], global: boolean): void }).global(own, false);
}

/** Commands by their first word, in order. */
function grouped(all: readonly AnyCommand[]): [group: string, members: AnyCommand[]][] {
  const groups: [string, AnyCommand[]][] = [];
  for (const command of all) {
    const [group = ''] = command.usage.split(' ');
    const last = groups.at(-1);
    if (last?.[0] === group) last[1].push(command);
    else groups.push([group, [command]]);
  }
  return groups;
}

/** Is its second word one that is typed as it stands: `backups list`? */
function isMember({ usage }: AnyCommand): boolean {
  return /^\S+ [a-z]/.test(usage);
}

/** yargs takes every value of a flag but `true` for no, and `--dry-run=yes` must not prune. */
function refuseOddFlags(argv: readonly string[], args: unknown): void {
  for (const word of argv) {
    if (word === '--') return;
    const [, name = '', value = ''] = /^--([^=]+)=(.*)$/.exec(word) ?? [];
    const taken: unknown = typeof args === 'object' && args !== null ? Reflect.get(args, name) : undefined;
    if (typeof taken === 'boolean' && value !== 'true' && value !== 'false')
      throw new AgentError('usage', `--${name} takes no value`, {
        hint: `say --${name}, or --no-${name}`,
      });
  }
}

/** With what may have been meant among all commands. */
async function explained(error: unknown, argv: readonly string[]): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof AgentError) return error;
  const { commands } = await loadCommands();
  error.message = error.message.replaceAll(dash, '-');
  const usages = commands.map(({ usage }) => usage);
  return usageError(error, argv, { usages, options: optionNames(commands) });
}

function optionNames(of: readonly AnyCommand[]): string[] {
  const parser = base(80);
  for (const command of of) command.options?.(parser);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exists in every release, the types lack it
  const { key } = (parser as unknown as { getOptions(): { key: Record<string, unknown> } }).getOptions();
  return Object.keys(key).filter((name) => /^[a-z][a-z-]+$/.test(name));
}
