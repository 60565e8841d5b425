import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import type { Argv } from 'yargs';
import type { App } from '../app/build-app.ts';
import type { Named } from '../app/switch/told-consumers.ts';
import type { ServingUnit, SharedWork } from '../app/units/places.ts';
import type { Clock } from '../domain/clock.ts';
import type { Progress } from '../domain/progress.ts';
import type { Style } from './render/style.ts';

/** Options that every command has. */
export interface GlobalOptions {
  config: string | undefined;
  instance: string | undefined;
  json: boolean;
  color: boolean;
  quiet: boolean | undefined;
  verbose: boolean | undefined;
}

/** What a command works with. */
export interface CommandContext {
  globals: GlobalOptions;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  /** Aborts on the first interrupt, with an AgentError `interrupted`. */
  signal: AbortSignal;
  /** Aborts on the second. */
  cut: AbortSignal;
  /** Program and arguments that start this agent, less its command. */
  program: readonly string[];
  progress: Progress;
  stdin: Readable & { isTTY?: boolean };
  /** Builds the app from the configuration; closed when the command has ended. */
  app(): Promise<App>;
  /** Builds another one, for a reload; whoever asks closes it. */
  newApp(): Promise<App>;
  /** A port that nobody but root could take, before the app is asked for; see reserveLowPort. */
  reservePort(): Promise<Server | undefined>;
  /** Shows what a person has to know before the result is there, on stderr. */
  show(text: string): void;
  /** Asks a yes/no question on the terminal; throws an AgentError `usage` where there is none. */
  confirm(question: string): Promise<boolean>;
  /** What somebody types on the terminal; undefined where there is none, or where a document is wanted. */
  question(text: string): Promise<string | undefined>;
}

export interface RenderContext {
  style: Style;
  /** Columns to fill. */
  width: number;
  /** For ages such as `2 h ago`, milliseconds. */
  now: number;
}

/**
 * A command as data. `run` returns a value: printed as one JSON document with --json, else rendered for people. It
 * prints nothing itself, which is why tests call it in process.
 */
export interface Command<Args, Value> {
  /** Words as they are typed, with yargs positionals: `backups show <id>`. */
  usage: string;
  summary: string;
  options?(yargs: Argv): Argv;
  examples?: readonly (readonly [command: string, why: string])[];
  run(context: CommandContext, args: Args): Promise<Value>;
  render(value: Value, context: RenderContext): string;
  /** What --json prints, where it is not the value itself. */
  document?(value: Value): unknown;
  /** With --watch: run again and again, and drawn over the last; without a terminal `line` is all that is printed. */
  watch?: {
    /** Milliseconds between two runs; undefined: once. */
    every(context: CommandContext, args: Args): Promise<number | undefined>;
    line(value: Value, context: RenderContext): string;
  };
  /** For results that are no errors but not fine either (status, check, verify). 0 when left out. */
  exitCode?(value: Value): number;
  /** Run by root it stays root, beside a daemon that is not: it works on what only root may touch. */
  keepsRoot?(args: Args): boolean;
  /**
   * Run by root, the work is done by a process that gives root up, and root only does what nobody else may (see runMind).
   */
  sharesRoot?(args: Args): SharedWork | undefined;
  /** Which unit of this host does it for somebody who is no root, unless files of his are named (`lends`). */
  unit?(args: Args): ServingUnit | undefined;
  /** Files, or folders of files, that are read with the rights of who runs this, also where others do the work. */
  lends?(args: Args): readonly string[];
  /** A file that is written with those rights. */
  writes?(args: Args): string | undefined;
  /** A folder that is filled with those rights. */
  fills?(args: Args): string | undefined;
  /** Files and programs that a new password is handed to with the rights of who runs this. */
  tells?(args: Args): Named;
  /** Ends what such a command has left that was killed; what that came to, for people, null where nothing was left. */
  recover?(context: CommandContext, args: Args): Promise<string | null>;
  /** Keeps its own stdout (the daemon's log, a completion script): nothing is printed after it. */
  ownOutput?: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- commands of all argument and result types in one list
export type AnyCommand = Command<any, any>;

/** Only gives `Args` and `Value` their inference. */
export function defineCommand<Args, Value>(command: Command<Args, Value>): Command<Args, Value> {
  return command;
}

/** Commands with the same first word, which is no command by itself: `backups list`, `backups show`. */
export interface CommandGroup {
  word: string;
  /** One line of the help. */
  summary: string;
  commands: readonly AnyCommand[];
}
