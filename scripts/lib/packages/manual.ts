/**
 * manual.ts FOLDER VERSION DATE: writes the manual pages, from the definitions of the commands themselves:
 * redis-agent(1), and one for each command.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv } from 'yargs';
import { loadCommands } from '../../../src/cli/commands/index.ts';
import type { AnyCommand } from '../../../src/cli/define-command.ts';
import { globalFlags } from '../../../src/cli/parse-arguments.ts';

const { commands } = await loadCommands();

interface Described {
  describe?: string;
  alias?: string | readonly string[];
  type?: string;
  default?: unknown;
  choices?: readonly unknown[];
}

const [folder = '', version = '', date = ''] = process.argv.slice(2);

/** What roff would take for something else. */
function text(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/[’‘]/g, '\\(aq')
    .replaceAll('…', '...')
    .replaceAll('→', '\\(->')
    .replaceAll(/^([.'])/gm, '\\&$1');
}

/** Notes what a command says to the parser. */
class Recorder {
  readonly options: [string, Described][] = [];
  readonly positionals: [string, Described][] = [];

  /** Everything else that one can say to a parser says nothing about its options. */
  asParser(): Argv {
    const parser: unknown = new Proxy(this, {
      get: (_target, name) => {
        if (name === 'then') return undefined;
        return (...args: unknown[]): unknown => {
          if (name === 'option') this.options.push([String(args[0]), described(args[1])]);
          if (name === 'positional') this.positionals.push([String(args[0]), described(args[1])]);
          if (name === 'options')
            for (const [each, how] of Object.entries(args[0] ?? {}))
              this.options.push([each, described(how)]);
          return parser;
        };
      },
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it answers to every call
    return parser as Argv;
  }
}

function described(value: unknown): Described {
  return typeof value === 'object' && value !== null ? value : {};
}

function optionText([name, { alias, type, describe = '', choices, default: usual }]: [
  string,
  Described,
]): string {
  const letters = [alias ?? []]
    .flat()
    .map((each) => `\\fB${text(`${each.length === 1 ? '-' : '--'}${each}`)}\\fR`);
  const value = type === 'boolean' ? '' : ` \\fI${text(choices?.join('|') ?? 'VALUE')}\\fR`;
  const also = typeof usual === 'string' || typeof usual === 'number' ? ` The default is ${usual}.` : '';
  return `.TP\n${[...letters, `\\fB${text(`--${name}`)}\\fR`].join(', ')}${value}\n${text(`${sentence(describe)}${also}`)}\n`;
}

function sentence(words: string): string {
  return words === '' || /[.!?)]$/.test(words) ? words : `${words}.`;
}

function header(name: string, summary: string): string {
  return `.TH ${name.toUpperCase()} 1 "${date}" "redis-agent ${version}" "redis-agent"\n.SH NAME\n${text(name)} \\- ${text(summary)}\n`;
}

/** The words of a command, without what comes after them. */
function wordsOf({ usage }: AnyCommand): string[] {
  return usage.split(' ').filter((word) => /^[a-z]/.test(word));
}

const statuses = [
  ['0', 'done, healthy'],
  ['1', 'failed'],
  ['2', 'bad usage or configuration'],
  ['3', 'findings'],
  ['4', 'the server cannot be reached, or refuses the credential'],
  ['5', 'the repository cannot be reached or written'],
  ['6', 'a backup is damaged'],
  ['7', 'refused, because data could be lost; the message names the flag that insists, if there is one'],
  ['8', 'another run holds the lock'],
  ['130', 'interrupted'],
];
const exitStatus = `.SH EXIT STATUS\n${statuses.map(([code, what]) => `.TP\n.B ${code}\n${text(String(what))}\n`).join('')}`;

const files = [
  [
    '/etc/redis-agent/config.yaml',
    'the configuration; redis-agent init writes it, redis-agent config example shows all of it',
  ],
  ['/etc/redis-agent/secrets/', 'passwords and keys, for the daemon’s user alone'],
  ['/var/lib/redis-agent/', 'history and locks; losing it loses no backup'],
  ['/var/lib/redis-agent/repository/', 'the backups, where no other place is configured'],
  ['/usr/share/doc/redis-agent/', 'examples, licences and the list of what is inside'],
];

function overview(): string {
  const list = commands.map(
    (command) => `.TP\n.B ${text(command.usage)}\n${text(sentence(command.summary))}\n`,
  );
  return [
    header('redis-agent', 'proven backups and restores of a self-hosted Redis or Valkey'),
    '.SH SYNOPSIS\n.B redis\\-agent\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n',
    `.SH DESCRIPTION\n${text('Takes backups of Redis and Valkey servers on a schedule, proves each by loading it, and puts one back. Every command works with the daemon and without it; with --json it prints one document.')}\n`,
    `.SH COMMANDS\n${list.join('')}`,
    `.SH OPTIONS\n${Object.entries(globalFlags)
      .map((entry) => optionText(entry))
      .join('')}`,
    exitStatus,
    `.SH FILES\n${files.map(([path, what]) => `.TP\n.I ${text(String(path))}\n${text(sentence(String(what)))}\n`).join('')}`,
    `.SH ENVIRONMENT\n.TP\n.B REDIS_AGENT_CONFIG\n${text('The configuration file, where --config is not given.')}\n`,
    `.SH SEE ALSO\n${commands.map((command) => `.BR redis\\-agent\\-${text(wordsOf(command).join('-'))} (1)`).join(',\n')}\n`,
  ].join('');
}

function page(command: AnyCommand): string {
  const recorder = new Recorder();
  command.options?.(recorder.asParser());
  const { options, positionals } = recorder;
  const examples = (command.examples ?? []).map(
    ([line, why]) => `.TP\n.B ${text(line.replaceAll('$0', 'redis-agent'))}\n${text(sentence(why))}\n`,
  );
  return [
    header(`redis-agent-${wordsOf(command).join('-')}`, command.summary),
    `.SH SYNOPSIS\n.B redis\\-agent ${text(command.usage)}\n[\\fIOPTIONS\\fR]\n`,
    positionals.length === 0
      ? ''
      : `.SH ARGUMENTS\n${positionals.map(([name, { describe = '' }]) => `.TP\n.I ${text(name)}\n${text(sentence(describe))}\n`).join('')}`,
    options.length === 0 ? '' : `.SH OPTIONS\n${options.map((each) => optionText(each)).join('')}`,
    examples.length === 0 ? '' : `.SH EXAMPLES\n${examples.join('')}`,
    '.SH SEE ALSO\n.BR redis\\-agent (1),\nwhich has the options of every command and the exit statuses.\n',
  ].join('');
}

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'redis-agent.1'), overview());
for (const command of commands)
  writeFileSync(join(folder, `redis-agent-${wordsOf(command).join('-')}.1`), page(command));
