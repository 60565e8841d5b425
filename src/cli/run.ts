import { createInterface } from 'node:readline/promises';
import { buildApp, type App } from '../app/build-app.ts';
import { AgentError } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import { reserveLowPort } from '../redis/replication/low-port.ts';
import type { AnyCommand, CommandContext, GlobalOptions } from './define-command.ts';
import { exitCodes } from './exit-code.ts';
import type { CliHost, Output } from './cli-host.ts';
import { goElsewhere, isForOthers, notForOthers, withWayThere, type Ways } from './go-elsewhere.ts';
import { joinRepeated } from './join-repeated.ts';
import { parseArguments } from './parse-arguments.ts';
import { errorDocument, renderError } from './render/error.ts';
import { renderJson } from './render/json.ts';
import { createProgressBar, silentProgress } from './render/progress-bar.ts';
import { createStyle } from './render/style.ts';
import { logLevel } from './log-level.ts';
import { watchCommand } from './watch-command.ts';
import { requireFile } from './write-out.ts';

/** Options that may be given more than once. */
const repeatable = '--keys --check --conf --key --channel --secret-file --hook --node --sentinel'.split(' ');

/** Runs one command line and resolves with the exit status. The only place that prints results and errors. */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  const { stdout, stderr, env } = host;
  let json = argv.includes('--json');
  let color = useColor(stderr, env) && !argv.includes('--no-color');
  try {
    const parsed = await parseArguments(
      repeatable.reduce(joinRepeated, argv),
      Math.min(columnsOf(stdout), 100),
    );
    if (parsed.kind === 'text') {
      stdout.write(`${parsed.text}\n`);
      return exitCodes.ok;
    }
    json = parsed.globals.json;
    color = useColor(stderr, env) && parsed.globals.color;
    const { command, globals, args } = parsed;
    const write = command.writes?.(args);
    const ways: Ways = {
      shared: command.sharesRoot?.(args),
      lend: command.lends?.(args) ?? [],
      write,
      fill: command.fills?.(args),
      tells: command.tells?.(args),
      recovers: command.recover !== undefined || command.sharesRoot?.(args) === 'restore',
      unit: command.unit?.(args),
    };
    if (host.forOthers !== undefined && !isForOthers(ways, globals, host.forOthers))
      throw notForOthers(host.forOthers);
    if (write !== undefined) requireFile(write);
    const elsewhere = host.link === undefined ? await goElsewhere(argv, globals, ways, host) : undefined;
    if (elsewhere !== undefined) return elsewhere;
    const done = execute(command, globals, args, host);
    const atServer = ways.shared === 'files' ? undefined : ways.shared;
    return await ((atServer ?? ways.unit) === undefined ? done : done.catch(withWayThere));
  } catch (error) {
    const reported = asInterrupted(error, host.signal);
    if (json) stdout.write(`${renderJson(errorDocument(reported))}\n`);
    else stderr.write(`${renderError(reported, createStyle(color))}\n`);
    return reported instanceof AgentError ? exitCodes[reported.code] : exitCodes.failed;
  }
}

/** Whatever fails after an interrupt fails by it; an error that says so itself may tell more. */
function asInterrupted(error: unknown, { aborted, reason }: AbortSignal): unknown {
  const says = error instanceof AgentError && error.code === 'interrupted';
  return aborted && reason instanceof AgentError && !says ? reason : error;
}

async function execute(
  command: AnyCommand,
  globals: GlobalOptions,
  args: unknown,
  host: CliHost,
): Promise<number> {
  const { clock, stdout, stderr, env, signal } = host;
  const terminal = stderr.isTTY === true;
  const bar =
    globals.quiet === true
      ? { ...silentProgress, end(): void {} }
      : createProgressBar({
          write: (text) => stderr.write(text),
          terminal,
          width: columnsOf(stderr),
          clock,
        });
  let app: App | undefined;
  const began = clock.now();
  const context: CommandContext = {
    globals,
    env,
    clock,
    signal,
    cut: host.cut,
    program: host.program,
    progress: bar,
    stdin: host.stdin,
    async app() {
      app ??= await openApp(command, globals, args, host);
      return app;
    },
    reservePort: async () => await (host.link === undefined ? reserveLowPort() : host.link.reservePort()),
    newApp: () => openApp(command, globals, args, host),
    show(text) {
      if (globals.quiet === true) return;
      bar.end();
      stderr.write(`${text}\n`);
    },
    async confirm(question) {
      if (host.stdin.isTTY !== true || !terminal)
        throw new AgentError('usage', 'this asks before it goes on, and there is no terminal to ask on', {
          hint: 'say --yes when that is what you want',
        });
      bar.end();
      return /^y(es)?$/i.test(await ask(`${question} [y/N] `, host));
    },
    async question(text) {
      if (host.stdin.isTTY !== true || !terminal || globals.json) return undefined;
      bar.end();
      return (await ask(text, host)).trim();
    },
  };
  try {
    const every = await command.watch?.every(context, args);
    if (every !== undefined) {
      const onScreen = stdout.isTTY === true && !globals.json && env['TERM'] !== 'dumb';
      const style = createStyle(globals.color && useColor(stdout, env));
      return await watchCommand({
        every,
        clock,
        signal,
        write: (text) => stdout.write(text),
        screen: onScreen ? { rows: () => stdout.rows ?? 24, style } : undefined,
        async look() {
          const value: unknown = await command.run(context, args);
          bar.end();
          const rendering = { style, width: columnsOf(stdout), now: clock.now() };
          if (globals.json)
            return renderJson(command.document === undefined ? value : command.document(value));
          return onScreen ? command.render(value, rendering) : (command.watch?.line(value, rendering) ?? '');
        },
        failure(error) {
          bar.end();
          return globals.json ? renderJson(errorDocument(error)) : renderError(error, style);
        },
      });
    }
    if (host.recovering === true) {
      const ended = (await command.recover?.(context, args)) ?? null;
      if (ended !== null) context.show(ended);
      return exitCodes.ok;
    }
    const value: unknown = await command.run(context, args);
    bar.end();
    if (command.ownOutput !== true) {
      const style = createStyle(globals.color && useColor(stdout, env));
      const text = globals.json
        ? renderJson(command.document === undefined ? value : command.document(value), 2)
        : command.render(value, { style, width: columnsOf(stdout), now: clock.now() });
      if (text !== '') stdout.write(`${text}\n`);
    }
    return command.exitCode?.(value) ?? exitCodes.ok;
  } finally {
    bar.end();
    if (app !== undefined && command.ownOutput !== true) await sayIfNobodyTells(app, began, context);
    await app?.close();
  }
}

/** Somebody who watches a command fail knows it; others wait for a message. */
async function sayIfNobodyTells(app: App, began: number, context: CommandContext): Promise<void> {
  if (app.settings.alerts.channels.length === 0) return;
  const { undelivered } = await import('../app/alerts/read-alerts.ts');
  const count = undelivered(app, began);
  if (count !== undefined)
    context.show(
      `${count} alert${count === 1 ? '' : 's'} to tell, and no daemon runs that would: redis-agent run`,
    );
}

/** On stderr: stdout is the result. The end of the input answers nothing, Ctrl-C is an interruption. */
async function ask(question: string, { stdin, stderr, signal, forOthers }: CliHost): Promise<string> {
  const prompt = createInterface({
    input: stdin,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a terminal, as was checked
    output: stderr as NodeJS.WriteStream,
    // Their terminal edits its lines itself.
    terminal: forOthers === undefined,
  });
  const ended = new Promise<string>((resolve, reject) => {
    prompt.once('close', () => resolve(''));
    // The terminal sends no signal while a line is edited.
    prompt.once('SIGINT', () => reject(new AgentError('interrupted', 'interrupted at the question')));
  });
  try {
    return await Promise.race([prompt.question(question, { signal }), ended]);
  } finally {
    prompt.close();
  }
}

async function openApp(
  command: AnyCommand,
  globals: GlobalOptions,
  args: unknown,
  host: CliHost,
): Promise<App> {
  const secrets: Secret[] = [];
  const daemon = command.ownOutput === true;
  const { createLogger } = await import('../app/logger.ts');
  const log = await createLogger({
    level: logLevel(globals, daemon),
    fd: daemon ? 1 : 2,
    pretty: (daemon ? host.stdout : host.stderr).isTTY === true && globals.color,
    secrets: () => secrets,
  });
  const keepRoot = command.keepsRoot?.(args) ?? false;
  const { env, clock, program, link } = host;
  // Who only reads or writes such a file has nothing to do at a server that root would have to do for it.
  const own = command.sharesRoot?.(args) === 'files' ? {} : { link };
  const told = link === undefined ? {} : { ...own, loaded: await link.settings() };
  return buildApp({ configPath: globals.config, env, clock, log, secrets, keepRoot, program, ...told });
}

/** A terminal that was not told its size has none. */
function columnsOf({ columns }: Output): number {
  return columns === undefined || columns < 1 ? 80 : columns;
}

function useColor(stream: Output, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
