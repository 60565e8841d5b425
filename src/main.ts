import { AgentError, messageOf, systemCode } from './domain/errors.ts';
import { systemClock } from './lib/time/system-clock.ts';
import { childCommand } from './app/daemon/child-command.ts';
import { handsCommand } from './app/hands/command.ts';
import { mindCommand } from './app/switch/command.ts';
import {
  serveHandsCommand,
  isRecovering,
  serveApplyCommand,
  serveEtcCommand,
  serveRestoreCommand,
  serveSwitchCommand,
  recoverChangeCommand,
  recoverRestoresCommand,
  type ServingUnit,
} from './app/units/places.ts';
import type { SwitchLink } from './app/switch/link.ts';
import { ownProgram } from './app/own-program.ts';
import { agentVersion } from './app/version.ts';

/** argv, signals, exit code; everything else is behind the import, which `--version` does not pay for. */
async function main(argv: string[]): Promise<number> {
  process.stdout.on('error', endWithoutOutput);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${agentVersion}\n`);
    return 0;
  }
  // A child of the daemon; nobody types this, and without its parent it is a word like any other.
  if (process.send !== undefined && argv[0] === childCommand) {
    const { workForDaemon } = await import('./app/daemon/work.ts');
    await workForDaemon();
    return 0;
  }
  // Started by root's own agent, to be somebody less; whoever else types it works with his own rights.
  if (argv[0] === handsCommand && argv[1] !== undefined) {
    const { workInFolder } = await import('./app/hands/work.ts');
    return await workInFolder(argv[1]);
  }
  // Started by a unit, for the connection that it was handed.
  if (argv[0] === serveHandsCommand) {
    const { workInFolder } = await import('./app/hands/work.ts');
    return await workInFolder(undefined);
  }
  if (argv[0] === serveSwitchCommand) {
    const { serveSwitch } = await import('./app/units/serve-switch.ts');
    return await serveSwitch(process.env, systemClock);
  }
  if (argv[0] === serveEtcCommand) {
    const { serveEtc } = await import('./app/units/serve-etc.ts');
    return await serveEtc(process.env, systemClock);
  }
  // Before anything of it is compiled.
  if (argv[0] === 'run' || (argv[0]?.startsWith('-') === true && argv.at(-1) === 'run')) {
    const { staySmall } = await import('./app/daemon/stay-small.ts');
    staySmall();
  }
  const stop = new AbortController();
  const cut = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const reason = new AgentError('interrupted', `interrupted by ${name}`);
    if (!stop.signal.aborted) stop.abort(reason);
    else if (!cut.signal.aborted) cut.abort(reason);
    // Whatever still runs ends with the process, and the next run clears up behind it.
    // oxlint-disable-next-line no-process-exit unicorn/no-process-exit -- the one place that may
    else process.exit(130);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A backup does not end because nobody sees its progress any more: a terminal that was closed.
  process.stderr.on('error', () => {});
  const { runCli } = await import('./cli/run.ts');
  const unit = servingUnit(argv[0]);
  if (unit !== undefined && isRecovering(process.env)) {
    const { recoverAll, recoveries } = await import('./app/units/recover.ts');
    await recoverAll(recoveries[unit], process.env, stop.signal);
    // Whatever it came to is said: failing, it would be started for itself again.
    return 0;
  }
  if (unit !== undefined) {
    const { serveUnit } = await import('./app/units/serve-unit.ts');
    return await serveUnit(
      process.env,
      onSignal,
      async (served) =>
        await runCli(served.argv, {
          ...served,
          forOthers: unit,
          clock: systemClock,
          program: ownProgram(),
          signal: stop.signal,
          cut: cut.signal,
        }),
    );
  }
  const recovers = argv[0] === mindCommand && argv[2] === recoverRestoresCommand;
  const recover = recovers ? await import('./app/units/recover.ts') : undefined;
  const link = await giveRootUp(argv);
  if (recover !== undefined)
    return await recover.recoverAll(recover.recoveries.restore, process.env, stop.signal, link);
  const recovering = link !== undefined && argv[2] === recoverChangeCommand;
  return runCli(link === undefined ? argv : argv.slice(recovering ? 3 : 2), {
    link,
    recovering,
    clock: systemClock,
    env: process.env,
    program: ownProgram(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    cut: cut.signal,
  });
}

/** By what its unit starts it with. */
function servingUnit(command: string | undefined): ServingUnit | undefined {
  if (command === serveRestoreCommand) return 'restore';
  return command === serveApplyCommand ? 'apply' : undefined;
}

/** A process of root's own agent that is to work for it as somebody less. */
async function giveRootUp([command, words]: string[]): Promise<SwitchLink | undefined> {
  if (command !== mindCommand || words === undefined || process.send === undefined) return undefined;
  const { becomeMind } = await import('./app/switch/mind.ts');
  return becomeMind(words);
}

/** A reader that has seen enough (`| head`) is no error; a result that is lost, on a full disk, is one. */
function endWithoutOutput(error: Error): never {
  const enough = systemCode(error) === 'EPIPE';
  if (!enough) process.stderr.write(`redis-agent: cannot write the result: ${messageOf(error)}\n`);
  // oxlint-disable-next-line no-process-exit unicorn/no-process-exit -- nobody is listening any more
  process.exit(enough ? 0 : 1);
}

process.exitCode = await main(process.argv.slice(2));
