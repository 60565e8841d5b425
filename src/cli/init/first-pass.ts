import type { InitReport } from '../../app/init/report.ts';
import { AgentError, messageOf } from '../../domain/errors.ts';
import { runCommand } from '../../lib/process/run-command.ts';
import { shellWord } from '../../lib/process/shell-word.ts';
import type { CommandContext } from '../define-command.ts';

/** What was done after the configuration was written, by the commands that a person would type for it. */
export interface FirstStep {
  step: 'alerts' | 'check' | 'backup' | 'audit' | 'daemon';
  /** Null: all of them. */
  instance: string | null;
  ok: boolean;
  /** In a line. */
  said: string;
  /** What to type for it. */
  words: string;
}

interface TakenBackup {
  backup: { id: string };
  verification: { verdict: string; summary: string } | null;
}

interface Said {
  ok: boolean;
  said: string;
}

/** Each is a process of its own, with the rights that it has when somebody types it. What fails does not end the rest. */
export async function firstPass(
  { config, text, instances }: InitReport,
  { context, command, start }: { context: CommandContext; command: string; start: boolean },
): Promise<FirstStep[]> {
  const steps: FirstStep[] = [];
  const step = async (
    what: FirstStep['step'],
    words: string[],
    instance: string | null,
    read: (document: never) => Said,
  ): Promise<void> => {
    context.progress.report({ phase: instance === null ? what : `${what} of ${instance}` });
    const named = instance === null || instances.length === 1 ? words : [...words, '--instance', instance];
    const { ok, said } = await run(context, ['--config', config, ...named], read);
    steps.push({ step: what, instance, ok, said, words: [command, ...named.map(shellWord)].join(' ') });
  };
  if (text.includes('\nalerts:\n')) await step('alerts', ['alerts', 'test'], null, readTests);
  await step('check', ['check'], null, readCheck);
  for (const { name } of instances) await step('backup', ['backup'], name, readBackup);
  for (const { name } of instances) await step('audit', ['audit'], name, readAudit);
  if (start) steps.push(await startDaemon(context));
  return steps;
}

async function run(
  { program, signal }: CommandContext,
  words: string[],
  read: (document: never) => Said,
): Promise<Said> {
  const { stdout, stderr } = await runCommand([...program, '--json', '--quiet', ...words], signal);
  try {
    const document: unknown = JSON.parse(stdout);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own command's, as its --json is documented
    const error = (document as { error?: { message: string; hint?: string } }).error;
    if (error !== undefined) return { ok: false, said: [error.message, error.hint ?? []].flat().join('; ') };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return read(document as never);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, said: stderr.trim() || messageOf(error) };
  }
}

function readTests(results: { channel: string; ok: boolean; answer: string }[]): Said {
  return {
    ok: results.every(({ ok }) => ok),
    said: results.map(({ channel, answer }) => `${channel}: ${answer}`).join('; '),
  };
}

function readCheck(lines: { what: string; verdict: string; detail: string }[]): Said {
  const wrong = lines.filter(({ verdict }) => verdict !== 'ok');
  if (wrong.length === 0) return { ok: true, said: `all ${lines.length} are fine` };
  return {
    ok: wrong.every(({ verdict }) => verdict !== 'failed'),
    said: wrong.map(({ what, detail }) => `${what}: ${detail}`).join('; '),
  };
}

function readBackup({ backup, verification }: TakenBackup): Said {
  return {
    ok: verification !== null && verification.verdict !== 'failed',
    said: `${backup.id}: ${verification?.summary ?? 'it could not be proven'}`,
  };
}

function readAudit({
  reports,
}: {
  reports: { score: { value: number }; findings: { severity: string; waived: unknown }[] }[];
}): Said {
  const [report] = reports;
  const open = report?.findings.filter(({ waived }) => waived === null) ?? [];
  const counts = ['critical', 'high', 'warning'].flatMap((severity) => {
    const count = open.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : `${count} ${severity}`;
  });
  return {
    ok: true,
    said: [`${report?.score.value ?? '?'} of 100`, counts.join(', ')].filter(Boolean).join(': '),
  };
}

async function startDaemon({ signal, progress }: CommandContext): Promise<FirstStep> {
  progress.report({ phase: 'starting the daemon' });
  const words = ['systemctl', '--no-ask-password', 'enable', '--now', 'redis-agent'];
  const typed = words.filter((word) => !word.startsWith('--no')).join(' ');
  const step = { step: 'daemon', instance: null, words: typed } as const;
  try {
    const { exitCode, stderr } = await runCommand(words, signal);
    if (exitCode === 0) return { ...step, ok: true, said: 'runs, and will after each boot' };
    return { ...step, ok: false, said: stderr.trim() };
  } catch (error) {
    if (error instanceof AgentError) throw error;
    return { ...step, ok: false, said: messageOf(error) };
  }
}
